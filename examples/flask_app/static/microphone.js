// The microphone: ask for it, listen while digits are said, and give a WAV of 16 kHz. It is on for that long alone.

import { CameraTrouble } from "./camera.js";

const RATE_HZ = 16_000;
const LONGEST_MS = 7000;
const SHORTEST_SPOKEN_MS = 1500;
const QUIET_MS = 1300; // after the last digit; who counts on their fingers takes less between two
const LOUD = 4; // times as loud as the quietest moment so far

const TROUBLES = {
  NotAllowedError: ["The microphone is blocked", "Allow the microphone for this page beside the address bar, or go on without speaking."],
  NotFoundError: ["No microphone found", "Connect a microphone, or go on without speaking."],
  NotReadableError: ["The microphone is busy", "Close the other program that uses it, or go on without speaking."],
};

export class MicrophoneTrouble extends CameraTrouble {}

export class Microphone {
  /** Ask the person for it before the visit begins, so that no question comes in the middle; it is off again at once. */
  async allow() {
    (await this.#open()).getTracks().forEach((track) => track.stop());
  }

  /**
   * Listen until somebody has spoken and is quiet again, seven seconds at most.
   * @param onLevel hears how loud it is, 0 to 1.
   * @returns a WAV: 16 bits, one channel, 16 kHz.
   */
  async listen(onLevel, signal) {
    const stream = await this.#open();
    const context = new AudioContext();
    const end = new AbortController();
    const parts = [];
    try {
      await context.audioWorklet.addModule("/static/recorder.js");
      const recorder = new AudioWorkletNode(context, "recorder", { channelCount: 1, channelCountMode: "explicit" });
      const spoken = new Spoken();
      recorder.port.onmessage = ({ data }) => {
        parts.push(data);
        const level = Math.sqrt(data.reduce((sum, sample) => sum + sample * sample, 0) / data.length);
        onLevel(Math.min(1, Math.max(0, 1 + Math.log10(level + 1e-6) / 2.5)));
        if (spoken.over(level, (1000 * data.length) / context.sampleRate)) end.abort();
      };
      context.createMediaStreamSource(stream).connect(recorder).connect(context.destination); // it plays nothing, but runs
      await context.resume();
      await new Promise((resolve) => {
        for (const ended of [end.signal, signal]) {
          if (ended.aborted) resolve();
          ended.addEventListener("abort", resolve, { once: true });
        }
        setTimeout(resolve, LONGEST_MS);
      });
      return await wav(parts, context.sampleRate);
    } finally {
      stream.getTracks().forEach((track) => track.stop());
      context.close();
      onLevel(0);
    }
  }

  async #open() {
    try {
      return await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 }, video: false });
    } catch (error) {
      const trouble = TROUBLES[error.name] ?? ["The microphone does not start", "Reload the page, or go on without speaking."];
      const [title, advice] = trouble;
      throw new MicrophoneTrouble(title, advice);
    }
  }
}

/** Whether somebody has spoken and is quiet again. */
class Spoken {
  #quietest = Infinity;
  #spokenMs = 0;
  #quietMs = 0;

  over(level, ms) {
    this.#quietest = Math.max(1e-4, Math.min(this.#quietest, level));
    if (level > LOUD * this.#quietest && level > 0.003) {
      this.#quietMs = 0;
      this.#spokenMs += ms;
    } else {
      this.#quietMs += ms;
      if (this.#spokenMs) this.#spokenMs += ms;
    }
    return this.#spokenMs > SHORTEST_SPOKEN_MS + QUIET_MS && this.#quietMs > QUIET_MS;
  }
}

/** One sound at 16 kHz as a WAV file; the browser converts the rate. */
async function wav(parts, rateHz) {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  if (!length) throw new MicrophoneTrouble("The microphone gives no sound", "Choose another one in your browser, or go on without speaking.");
  const offline = new OfflineAudioContext(1, Math.floor((length * RATE_HZ) / rateHz), RATE_HZ);
  const buffer = offline.createBuffer(1, length, rateHz);
  let at = 0;
  for (const part of parts) {
    buffer.copyToChannel(part, 0, at);
    at += part.length;
  }
  const source = offline.createBufferSource();
  source.buffer = buffer;
  source.connect(offline.destination);
  source.start();
  const samples = (await offline.startRendering()).getChannelData(0);
  const file = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const text = (place, word) => [...word].forEach((letter, index) => file.setUint8(place + index, letter.charCodeAt(0)));
  text(0, "RIFF");
  file.setUint32(4, 36 + 2 * samples.length, true);
  text(8, "WAVEfmt ");
  file.setUint32(16, 16, true);
  file.setUint16(20, 1, true); // PCM
  file.setUint16(22, 1, true); // one channel
  file.setUint32(24, RATE_HZ, true);
  file.setUint32(28, 2 * RATE_HZ, true);
  file.setUint16(32, 2, true);
  file.setUint16(34, 16, true);
  text(36, "data");
  file.setUint32(40, 2 * samples.length, true);
  samples.forEach((sample, index) => file.setInt16(44 + 2 * index, 32767 * Math.max(-1, Math.min(1, sample)), true));
  return new Blob([file], { type: "audio/wav" });
}
