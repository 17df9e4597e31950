// The challenge: the screen lights the face with the colour that the server asks for.

// A colour stays this long before the picture, so that the camera has it, and so that nothing flickers: the screen changes
// less than twice a second, and people who are sensitive to light can bear three flashes a second.
const SETTLE_MS = 500;

export class Challenge {
  /** What the next picture must answer; null when the server asks for nothing. */
  asked = null;

  constructor(light) {
    this.light = light;
  }

  /** Light the face, and wait until the camera has seen it. */
  async show() {
    this.light.style.backgroundColor = this.asked.colour;
    this.light.hidden = false;
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  }

  hide() {
    this.light.hidden = true;
  }
}
