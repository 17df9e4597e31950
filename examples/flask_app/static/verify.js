// The check: guide the person into the oval, send one picture after the other, and end with the server's decision.

import { Camera, CameraTrouble } from "./camera.js";
import { Lamp } from "./challenge.js";
import { View } from "./view.js";
import { Visit } from "./visit.js";

const SHORTEST_PAUSE_MS = 150;
const LONGEST_PAUSE_MS = 5000;
const LONGEST_VISIT_MS = 60_000;
const FRAMES_UNDER_WAY = 3;

const view = new View();
const camera = new Camera(document.getElementById("video"), document.getElementById("oval"));
const lamp = new Lamp(document.getElementById("light"));
let run = null; // the check that is going on; a new one, or none, ends it
let flashing; // whether the screen may flash: undefined until the person has said so

async function start(deviceId) {
  end();
  const mine = (run = new AbortController());
  const visit = new Visit(mine.signal);
  mine.signal.addEventListener("abort", () => visit.close(), { once: true });
  view.show("starting", "One moment", "The camera is starting. Your browser may ask you to allow it.");
  view.offer("stop");
  try {
    const opened = await visit.open(flashing ?? true);
    if (mine.signal.aborted) return;
    if (opened.http !== 200) return refuse(opened);
    if (opened.challenge === "light" && flashing === undefined) return ask();
    if (!(await camera.open(deviceId)) || mine.signal.aborted) return;
    view.filming(true);
    camera.onLost(() => mine === run && fail(new CameraTrouble("The camera is gone", "Connect it again, then press Verify.")));
    const another = await camera.next();
    view.offer("stop", ...(another === null ? [] : ["change"]));
    view.show("guiding", "Hold your face in the oval", "It starts by itself.");
    await keepLooking(visit, opened, mine.signal);
  } catch (error) {
    if (!mine.signal.aborted) fail(error);
  }
}

/** The screen is about to change colours: say so first, and offer another way. */
function ask() {
  end();
  view.show(
    "asking",
    "The screen will change colours",
    "Five colours light your face, less than two a second. If changing light disturbs you, take the other way: you turn your head.",
  );
  view.offer("agree", "refuse");
}

async function keepLooking(visit, answer, signal) {
  const latest = performance.now() + LONGEST_VISIT_MS;
  let troubles = 0;
  while (!signal.aborted) {
    if (performance.now() > latest) return timeOut();
    if (answer.screen) {
      await lamp.show(answer.screen);
      await Promise.race([camera.fresh(FRAMES_UNDER_WAY), pausing(LONGEST_PAUSE_MS)]);
    } else lamp.hide();
    if (signal.aborted) return;
    const sent = performance.now();
    let pause = 0;
    try {
      const told = await visit.send(await camera.picture(), camera.oval());
      if (signal.aborted) return;
      if (told.done || told.reason === "no_more_tries") return finish(told);
      if ("progress" in told) answer = told;
      show(told);
      pause = told.wait;
      troubles = 0;
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof CameraTrouble) throw error;
      lamp.hide();
      view.show("trouble", "No answer", "The server does not answer. Trying again.");
      pause = SHORTEST_PAUSE_MS * 2 ** ++troubles;
    }
    // As long as the answer took: a slow server or network is asked less often.
    await pausing(Math.min(LONGEST_PAUSE_MS, Math.max(SHORTEST_PAUSE_MS, performance.now() - sent, pause)));
  }
}

function pausing(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function show(told) {
  if (told.http === 200 && told.progress) {
    const turning = told.guidance?.startsWith("turn_");
    view.show("looking", turning ? "Turn your head" : "Looking", hint(told.message), told);
  } else if (told.http === 200 || told.http === 422) view.show("guiding", "Not yet", told.message, told);
  else if (told.reason !== "repeated_frame") view.show("trouble", "Please wait", told.message);
}

/** The headline says already that the server is still looking. */
function hint(message) {
  return message.replace(/^Still looking: (.)/, (_, first) => first.toUpperCase());
}

function finish(told) {
  const turning = document.body.dataset.guidance.startsWith("turn_");
  if (told.reason === "timed_out" && turning) told.message = "That took too long: turn your head further.";
  end();
  if (told.is_live) {
    view.show("live", "Done", told.message, { progress: 1 });
    view.offer("verify");
    return;
  }
  refuse(told);
}

function refuse(told) {
  end();
  if (told.reason === "no_more_tries" || told.tries_left === 0) {
    const why = told.message.replace(/:.*/, "."); // what to do better is of no use any more
    view.show("out", "No more tries", told.done && told.reason !== "no_more_tries" ? `${why} Please take the other way in.` : told.message);
    view.offer();
  } else if (told.done) {
    const left = `${told.tries_left} ${told.tries_left === 1 ? "try is" : "tries are"} left.`;
    view.show("spoof", "Try again", `${told.message} ${left}`);
    view.offer("verify");
  } else fail(new CameraTrouble("Please wait", told.message));
}

function timeOut() {
  stop();
  view.show("trouble", "Time is up", "The camera is off. Press Verify when you are ready.");
}

/** The camera and the lamp are off, and the server hears no more of this visit. */
function end() {
  run?.abort();
  run = null;
  lamp.hide();
  camera.close();
  view.filming(false);
}

function stop() {
  if (!run && document.body.dataset.state !== "asking") return;
  end();
  view.show("idle", "Stopped", "The camera is off. Press Verify to start again.");
  view.offer("verify");
}

function fail(error) {
  end();
  if (!(error instanceof CameraTrouble)) error = new CameraTrouble("No answer", "The server does not answer: try again soon.");
  view.show("trouble", error.message, error.advice);
  view.offer("verify");
}

function choose(allowed) {
  flashing = allowed;
  start();
}

const on = (id, act) => document.getElementById(id).addEventListener("click", act);
on("verify", () => start());
on("agree", () => choose(true));
on("refuse", () => choose(false));
on("stop", stop);
on("change", async () => start(await camera.next()));
document.addEventListener("keydown", (event) => event.key === "Escape" && stop());
document.addEventListener("visibilitychange", () => document.hidden && stop());
window.addEventListener("pagehide", stop);
