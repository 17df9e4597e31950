// One visit's side of the wire: it opens the session, sends pictures, and knows nothing of cameras or screens.

export class Visit {
  #session = ""; // for browsers that keep no cookies
  #willing = { flashing: true, speaking: true };

  constructor(signal) {
    this.signal = signal;
  }

  /** Open a session; `flashing` says whether the screen may change its colours, `speaking` whether digits may be asked for. */
  async open(willing = {}) {
    Object.assign(this.#willing, willing);
    const [flashing, speaking] = [this.#willing.flashing, this.#willing.speaking].map((yes) => (yes ? "yes" : "no"));
    return this.#ask("/session", { flashing, speaking });
  }

  /** Send one picture, with the place where the face has to be. */
  async send(picture, oval) {
    const answer = await this.#ask("/upload", { session: this.#session, oval: oval.map((part) => part.toFixed(4)).join() }, { picture });
    // The server has forgotten the session and asks in its own way: ask again for the other one, and show nothing.
    const unwilling = (answer.screen && !this.#willing.flashing) || (answer.digits && !this.#willing.speaking);
    return unwilling ? this.open() : answer;
  }

  /** Send what was said, with the nonce of the digits that were asked for. */
  async say(sound, nonce) {
    return this.#ask("/digits", { session: this.#session, nonce }, { sound });
  }

  async #ask(path, fields, files = {}) {
    const form = new FormData();
    for (const [name, file] of Object.entries(files)) form.append(name, file, name);
    for (const [name, value] of Object.entries(fields)) if (value) form.append(name, value);
    const response = await fetch(path, { method: "POST", body: form, signal: this.signal });
    const answer = await response.json();
    this.#session = answer.session ?? this.#session;
    return { ...answer, http: response.status, wait: 1000 * (Number(response.headers.get("Retry-After")) || 0) };
  }

  /** Tell the server to forget. */
  close() {
    if (!this.#session) return;
    const form = new FormData();
    form.append("session", this.#session);
    fetch("/session", { method: "DELETE", body: form, keepalive: true }).catch(() => {});
  }
}
