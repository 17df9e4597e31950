// The camera: open it, change it, take a picture, and say in words why it cannot be had.

const LONG_SIDE_PX = 640;

export class CameraTrouble extends Error {
  constructor(title, advice) {
    super(title);
    this.advice = advice;
  }
}

const TROUBLES = {
  NotAllowedError: ["The camera is blocked", "Allow the camera for this page beside the address bar, then press Verify."],
  NotFoundError: ["No camera found", "Connect a camera, then press Verify."],
  OverconstrainedError: ["No camera found", "Connect a camera, then press Verify."],
  NotReadableError: ["The camera is busy", "Close the other program that uses it, then press Verify."],
};

export class Camera {
  #stream = null;
  #opening = null; // the latest call of open(); close() forgets it
  #canvas = document.createElement("canvas");
  #oval;

  constructor(video, oval) {
    this.video = video;
    this.#oval = oval;
  }

  /** Open a camera: the given one, or the one that looks at the person; false if it was closed while it started. */
  async open(deviceId) {
    if (!navigator.mediaDevices && window.isSecureContext) {
      throw new CameraTrouble(
        "This browser lends no camera",
        "Apps that show pages inside themselves often do not. Open this page in your phone's own browser instead.",
      );
    }
    if (!navigator.mediaDevices) {
      throw new CameraTrouble(
        "A secure page is needed",
        `Browsers lend the camera only to https pages and to localhost. Open https://${location.host} instead.`,
      );
    }
    this.close();
    const opening = (this.#opening = {});
    let stream;
    const choice = deviceId ? { deviceId: { exact: deviceId } } : { facingMode: "user" };
    try {
      const video = { ...choice, width: { ideal: 1280 }, height: { ideal: 720 } };
      stream = await navigator.mediaDevices.getUserMedia({ audio: false, video });
    } catch (error) {
      const [title, advice] = TROUBLES[error.name] ?? ["The camera does not start", "Reload the page and try again."];
      throw new CameraTrouble(title, advice);
    }
    if (this.#opening !== opening) {
      stream.getTracks().forEach((track) => track.stop());
      return false;
    }
    this.video.srcObject = this.#stream = stream;
    document.body.classList.toggle("mirrored", this.#settings.facingMode !== "environment");
    await this.video.play();
    return true;
  }

  /** The id of the camera after the open one, or null when there is no other. */
  async next() {
    const devices = await navigator.mediaDevices.enumerateDevices();
    const ids = devices.filter((device) => device.kind === "videoinput").map((device) => device.deviceId);
    return ids.length < 2 ? null : ids[(ids.indexOf(this.#settings.deviceId) + 1) % ids.length];
  }

  /** The picture now, as a JPEG, no larger than a verdict needs. */
  async picture() {
    const { videoWidth, videoHeight } = this.video;
    const scale = Math.min(1, LONG_SIDE_PX / Math.max(videoWidth, videoHeight));
    this.#canvas.width = Math.round(videoWidth * scale);
    this.#canvas.height = Math.round(videoHeight * scale);
    this.#canvas.getContext("2d").drawImage(this.video, 0, 0, this.#canvas.width, this.#canvas.height);
    const blob = await new Promise((resolve) => this.#canvas.toBlob(resolve, "image/jpeg", 0.92));
    if (!blob) throw new CameraTrouble("The camera gives no picture", "Close other programs that use it, then press Verify.");
    return blob;
  }

  /** Where the oval lies in the picture: left, top, right and bottom as parts of its width and height. */
  oval() {
    const { videoWidth, videoHeight } = this.video;
    const [stage, oval] = [this.video.parentElement, this.#oval].map((part) => part.getBoundingClientRect());
    const scale = Math.max(stage.width / videoWidth, stage.height / videoHeight); // the picture covers its stage
    const [width, height] = [videoWidth * scale, videoHeight * scale];
    const [halfWidth, halfHeight] = [oval.width / width / 2, oval.height / height / 2]; // both have one middle
    return [0.5 - halfWidth, 0.5 - halfHeight, 0.5 + halfWidth, 0.5 + halfHeight];
  }

  /** Wait for pictures that the camera takes from now on; the first ones may still be on their way. */
  async fresh(count) {
    if (!this.video.requestVideoFrameCallback) return;
    while (count--) await new Promise((resolve) => this.video.requestVideoFrameCallback(resolve));
  }

  /** Call back when the camera is pulled out or taken away. */
  onLost(callback) {
    this.#stream.getVideoTracks()[0].addEventListener("ended", callback, { once: true });
  }

  close() {
    this.#opening = null;
    this.#stream?.getTracks().forEach((track) => track.stop());
    this.#stream = null;
    this.video.srcObject = null;
  }

  get #settings() {
    return this.#stream.getVideoTracks()[0].getSettings();
  }
}
