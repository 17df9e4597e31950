// Runs beside the page, in the sound's own thread: hands on what the microphone hears, a twentieth of a second at a time.

class Recorder extends AudioWorkletProcessor {
  #part = new Float32Array(Math.ceil(sampleRate / 20));
  #filled = 0;

  process([[heard]]) {
    for (const sample of heard ?? []) {
      this.#part[this.#filled++] = sample;
      if (this.#filled === this.#part.length) {
        this.port.postMessage(this.#part.slice());
        this.#filled = 0;
      }
    }
    return true;
  }
}

registerProcessor("recorder", Recorder);
