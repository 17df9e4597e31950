// The check: guide the person into the oval, send one picture after the other, and end with the server's decision.

import { Camera, CameraTrouble } from "./camera.js";
import { Lamp } from "./challenge.js";
import { Microphone, MicrophoneTrouble } from "./microphone.js";
import { View } from "./view.js";
import { Visit } from "./visit.js";

const SHORTEST_PAUSE_MS = 150;
const LONGEST_PAUSE_MS = 5000;
const LONGEST_VISIT_MS = 60_000;
const FRAMES_UNDER_WAY = 3;
const PAUSE_WHILE_SPEAKING_MS = 500; // each picture must look live, so no more of them than it takes to watch a mouth

const view = new View();
const camera = new Camera(document.getElementById("video"), document.getElementById("oval"));
const lamp = new Lamp(document.getElementById("light"));
const microphone = new Microphone();
let run = null; // the check that is going on; a new one, or none, ends it
let asking; // what the person is asked whether they will have it: "flashing" or "speaking"
const willing = {}; // what they have said

const ASKING = {
  flashing: [
    "The screen will change colours",
    "Five colours light your face, less than two a second. If changing light disturbs you, take the other way: you turn your head.",
    "Start with colours",
    "Without colours",
  ],
  speaking: [
    "You will say four digits",
    "Read them aloud while the camera looks; the sound is not kept. If you cannot or would rather not speak, take the other way.",
    "Start with digits",
    "Without speaking",
  ],
};

async function start(deviceId) {
  end();
  const mine = (run = new AbortController());
  const visit = new Visit(mine.signal);
  mine.signal.addEventListener("abort", () => visit.close(), { once: true });
  view.show("starting", "One moment", "The camera is starting. Your browser may ask you to allow it.");
  view.offer("stop");
  try {
    const opened = await visit.open(willing);
    if (mine.signal.aborted) return;
    if (opened.http !== 200) return refuse(opened);
    const parts = opened.challenge.split("+");
    if (parts.includes("light") && willing.flashing === undefined) return ask("flashing");
    if (parts.includes("digits") && willing.speaking === undefined) return ask("speaking");
    view.listening(parts.includes("digits"));
    if (parts.includes("digits")) await microphone.allow();
    if (mine.signal.aborted) return;
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

/** The screen is about to change colours, or digits are to be said: say so first, and offer another way. */
function ask(what) {
  end();
  asking = what;
  view.listening(what === "speaking");
  const [headline, words, agree, refuse] = ASKING[what];
  view.show("asking", headline, words);
  view.name(agree, refuse);
  view.offer("agree", "refuse");
}

/** Listen until the digits were said; a silent microphone is asked again, for who is not understood there are others. */
async function listen(visit, speech, digits, signal) {
  try {
    while (digits && !signal.aborted) {
      Object.assign(speech, { asked: digits.say, nonce: digits.nonce });
      view.say(digits.say);
      const sound = await microphone.listen((level) => view.level(level), signal);
      view.say("");
      if (signal.aborted) return;
      const told = await visit.say(sound, digits.nonce);
      if (told.reason === "nothing_heard") speech.advice = told.message;
      else if (told.http === 200 || told.reason === "not_asked") [digits, speech.advice] = [told.digits, told.message];
      else throw new MicrophoneTrouble("The sound was not taken", told.message);
    }
  } catch (error) {
    if (!signal.aborted) fail(error);
  }
  speech.asked = "";
}

async function keepLooking(visit, answer, signal) {
  const latest = performance.now() + LONGEST_VISIT_MS;
  const speech = { asked: "", nonce: "", advice: "Aloud, one after the other. Keep your face in the oval." };
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
      if (answer.digits && !speech.asked && answer.digits.nonce !== speech.nonce) listen(visit, speech, answer.digits, signal);
      show(told, speech);
      pause = Math.max(told.wait, speech.asked ? PAUSE_WHILE_SPEAKING_MS : 0);
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

function show(told, speech) {
  if (told.http === 200 && told.progress) {
    const turning = told.guidance?.startsWith("turn_");
    if (speech.asked) view.show("looking", `Say ${speech.asked}`, speech.advice, told);
    else view.show("looking", turning ? "Turn your head" : "Looking", hint(told.message), told);
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
  view.say("");
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
  if (!(error instanceof MicrophoneTrouble)) return view.offer("verify");
  asking = "speaking";
  view.name(...ASKING.speaking.slice(2));
  view.offer("verify", "refuse");
}

function choose(will) {
  willing[asking] = will;
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
