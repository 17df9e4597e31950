// What the person sees and hears; knows nothing of cameras or servers.

const WINDOW = 5;
const element = (id) => document.getElementById(id);

export class View {
  #votes = [];

  constructor() {
    this.clearVotes();
  }

  /** Show a state: its headline, what to do, and the percentage if there is one. */
  show(state, headline, hint, percentage = "") {
    document.body.dataset.state = state;
    this.#text("decision", headline);
    this.#text("hint", hint);
    this.#text("percentage", percentage);
  }

  /** Add a frame's vote; `frames` is how many the server still counts, `window` how many decide. */
  vote(isLive, frames, window) {
    this.#votes.push(isLive);
    this.keepVotes(frames, window);
  }

  /** Keep only the last votes, as many as the server counts. */
  keepVotes(frames, window) {
    this.#draw(frames ? this.#votes.slice(-frames) : [], window);
  }

  clearVotes() {
    this.#draw([], WINDOW);
  }

  filming(on) {
    const hadFocus = document.activeElement === element(on ? "verify" : "stop");
    document.body.classList.toggle("filming", on);
    element("verify").hidden = on;
    element("stop").hidden = !on;
    if (hadFocus) element(on ? "stop" : "verify").focus();
  }

  /** Whether there is another camera to change to. */
  changeable(on) {
    element("change").disabled = !on;
  }

  #draw(votes, window) {
    this.#votes = votes;
    const dots = Array.from({ length: window }, (_, index) => {
      const dot = document.createElement("li");
      if (index < votes.length) dot.className = votes[index] ? "live" : "spoof";
      return dot;
    });
    element("dots").replaceChildren(...dots);
    const words = votes.map((isLive) => (isLive ? "real" : "fake")).join(", ");
    element("dots").setAttribute("aria-label", votes.length ? `${votes.length} of ${window} votes: ${words}` : "No votes yet");
    this.#text("count", `${votes.length} of ${window} votes`);
  }

  // A live region speaks whenever its text is set, so set it only when it changes.
  #text(id, text) {
    if (element(id).textContent !== text) element(id).textContent = text;
  }
}
