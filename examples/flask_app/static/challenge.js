// The screen as a lamp: two halves in the colours that the server asks for, around a preview that stays in view.

// A colour stays this long before the picture, so that the camera has it, and so that nothing flickers: the screen changes
// less than twice a second, and people who are sensitive to light can bear three flashes a second.
const SETTLE_MS = 500;

export class Lamp {
  constructor(light) {
    this.light = light;
  }

  /** Light the face, and wait until the camera has seen it. */
  async show(colours) {
    [...this.light.children].forEach((half, index) => (half.style.backgroundColor = colours[index]));
    this.#lit(true);
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  }

  hide() {
    this.#lit(false);
  }

  #lit(on) {
    this.light.hidden = !on;
    document.body.classList.toggle("lit", on);
  }
}
