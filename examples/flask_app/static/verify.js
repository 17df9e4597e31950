// The check: one picture goes up, its answer comes back, and only then the next one goes.

import { Camera, CameraTrouble } from "./camera.js";
import { Challenge } from "./challenge.js";
import { View } from "./view.js";

const SHORTEST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5000;
const READING_PAUSE_MS = 2000;
const FRAMES_UNDER_WAY = 3;

const view = new View();
const camera = new Camera(document.getElementById("video"));
const challenge = new Challenge(document.getElementById("light"));
let run = null; // the check that is going on; a new one, or none, ends it
let session = ""; // for browsers that keep no cookies

async function start(deviceId) {
  run?.abort();
  const mine = (run = new AbortController());
  view.show("starting", "One moment", "The camera is starting. Your browser may ask you to allow it.");
  view.clearVotes();
  view.changeable(false);
  try {
    const [opened] = await Promise.all([camera.open(deviceId), forgetSession()]);
    if (mine.signal.aborted || !opened) return;
    view.filming(true);
    camera.onLost(() => mine === run && fail(new CameraTrouble("The camera is gone", "Connect it again, then press Verify.")));
    view.changeable((await camera.next()) !== null);
    view.show("looking", "Looking", "Hold your face in the oval.");
    await keepLooking(mine.signal);
  } catch (error) {
    if (!mine.signal.aborted) fail(error);
  }
}

async function keepLooking(signal) {
  let troubles = 0;
  while (!signal.aborted) {
    if (challenge.asked) {
      await challenge.show();
      await Promise.race([camera.fresh(FRAMES_UNDER_WAY), pausing(LONGEST_PAUSE_MS)]);
    }
    if (signal.aborted) return;
    const picture = await camera.picture();
    const sent = performance.now();
    let pause;
    try {
      if (!session && (await openSession(signal))) continue;
      pause = await send(picture, signal);
      troubles = 0;
    } catch (error) {
      if (signal.aborted) return;
      view.show("trouble", "No answer", "The server does not answer. Trying again.");
      pause = SHORTEST_PAUSE_MS * 2 ** ++troubles;
    }
    // As long as the answer took: a slow server or network is asked less often.
    const wait = Math.min(LONGEST_PAUSE_MS, Math.max(SHORTEST_PAUSE_MS, performance.now() - sent, pause));
    await pausing(wait);
  }
}

function pausing(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Send one picture and show its answer; how long the server asks to wait, in ms. */
async function send(picture, signal) {
  const form = new FormData();
  form.append("picture", picture, "frame.jpg");
  form.append("session", session);
  if (challenge.asked) form.append("nonce", challenge.asked.nonce);
  const response = await fetch("/upload", { method: "POST", body: form, signal });
  const answer = await response.json();
  if (signal.aborted) return 0;
  session = answer.session ?? session;
  if ("challenge" in answer) challenge.asked = answer.challenge;
  if (answer.reason === "nonce") {
    session = ""; // answered too late, or the server has forgotten: open a new one
  } else if (response.status === 200) {
    view.vote(answer.score >= answer.threshold, answer.frames, answer.window);
    showVote(answer);
    if (challenge.asked && answer.frames === answer.window) end(); // a challenge is answered once
  } else if (response.status === 422) {
    view.keepVotes(answer.frames, answer.window);
    view.show("rejected", "Not yet", answer.message);
    if (challenge.asked) {
      challenge.hide();
      return READING_PAUSE_MS;
    }
  } else if (answer.reason === "repeated_frame") {
    view.show("rejected", "Not yet", answer.message);
  } else {
    view.show("trouble", "Please wait", answer.message);
  }
  return 1000 * (Number(response.headers.get("Retry-After")) || 0);
}

function showVote(answer) {
  if (answer.frames < answer.window) {
    view.show("looking", "Looking", "Hold still a moment longer.", answer.percentage ?? "");
  } else {
    view.show(answer.is_live ? "live" : "spoof", answer.decision, answer.message, answer.percentage);
  }
}

/** Open a session, and tell whether it asks for something that the picture at hand does not answer. */
async function openSession(signal) {
  const response = await fetch("/session", { method: "POST", signal });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.message);
  session = answer.session;
  challenge.asked = answer.challenge;
  return challenge.asked !== null;
}

async function forgetSession() {
  const form = new FormData();
  if (session) form.append("session", session);
  session = "";
  challenge.asked = null;
  await fetch("/session", { method: "DELETE", body: form, keepalive: true }).catch(() => {});
}

function end() {
  run?.abort();
  run = null;
  challenge.hide();
  camera.close();
  view.filming(false);
  view.changeable(false);
}

function stop() {
  if (!run) return;
  end();
  forgetSession();
  view.clearVotes();
  view.show("idle", "Stopped", "The camera is off. Press Verify to start again.");
}

function fail(error) {
  end();
  view.clearVotes();
  view.show("trouble", error.message, error.advice ?? "Reload the page and try again.");
}

document.getElementById("verify").addEventListener("click", () => start());
document.getElementById("stop").addEventListener("click", stop);
document.getElementById("light").addEventListener("click", stop);
document.getElementById("change").addEventListener("click", async () => {
  view.changeable(false);
  start(await camera.next());
});
document.addEventListener("keydown", (event) => event.key === "Escape" && stop());
document.addEventListener("visibilitychange", () => document.hidden && stop());
window.addEventListener("pagehide", stop);
