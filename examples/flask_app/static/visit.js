// One visit's side of the wire: it opens the session, sends pictures, and knows nothing of cameras or screens.

export class Visit {
  #session = ""; // for browsers that keep no cookies
  #flashing = true;

  constructor(signal) {
    this.signal = signal;
  }

  /** Open a session; `flashing` says whether the screen may change its colours. */
  async open(flashing = true) {
    this.#flashing = flashing;
    return this.#ask("/session", { flashing: flashing ? "yes" : "no" });
  }

  /** Send one picture, with the place where the face has to be. */
  async send(picture, oval) {
    const answer = await this.#ask("/upload", { session: this.#session, oval: oval.map((part) => part.toFixed(4)).join() }, picture);
    // The server has forgotten the session and asks in its own way: ask again for the other one, and show nothing.
    if (answer.screen && !this.#flashing) return this.open(false);
    return answer;
  }

  async #ask(path, fields, picture) {
    const form = new FormData();
    if (picture) form.append("picture", picture, "frame.jpg");
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
