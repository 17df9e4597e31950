// What the person sees and hears; knows nothing of cameras or servers.

const BUTTONS = ["verify", "agree", "refuse", "stop", "change"];
const element = (id) => document.getElementById(id);

export class View {
  /** Show a state: its headline, what to do, and, of an answer, where the face should go and how far the check is. */
  show(state, headline, hint, { guidance = "", progress = 0 } = {}) {
    Object.assign(document.body.dataset, { state, guidance: guidance ?? "" });
    this.#text("decision", headline);
    this.#text("hint", hint);
    this.#text("verify", state === "spoof" ? "Try again" : "Verify");
    element("progress").value = progress;
    document.body.style.setProperty("--progress", 100 * progress);
  }

  /** Show these buttons and no others; the focus goes to the first when its own button is gone. */
  offer(...ids) {
    const focused = BUTTONS.includes(document.activeElement?.id) && !ids.includes(document.activeElement.id);
    for (const id of BUTTONS) element(id).hidden = !ids.includes(id);
    if (focused && ids.length) element(ids[0]).focus();
  }

  /** Name the two buttons with which the person agrees or refuses. */
  name(agree, refuse) {
    this.#text("agree", agree);
    this.#text("refuse", refuse);
  }

  /** Show digits over the picture, near the camera; none when there is nothing to say. */
  say(digits) {
    element("say").hidden = !digits;
    this.#text("digits", digits);
  }

  /** Tell that what is said goes to the server as well as pictures. */
  listening(on) {
    element("sound").hidden = !on;
  }

  /** How loud it is, 0 to 1. */
  level(loudness) {
    element("say").style.setProperty("--level", loudness.toFixed(2));
  }

  filming(on) {
    document.body.classList.toggle("filming", on);
  }

  // A live region speaks whenever its text is set, so set it only when it changes.
  #text(id, text) {
    if (element(id).textContent !== text) element(id).textContent = text;
  }
}
