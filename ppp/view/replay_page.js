// The page: the picture, its controls, the plan beside it. All text goes in as text, never as HTML.

const data = JSON.parse(document.getElementById("ppp-data").textContent);
const motion = makeMotion(data.motion, data.bodies.length, data.props.length);
const find = (id) => document.getElementById(id);
const asked = new URLSearchParams(location.hash.slice(1)); // #t=4.5 starts there; #2d=1 forces 2-D

const state = {
  time: clamp(Number(asked.get("t")) || 0, 0, data.seconds), playing: !asked.has("t"), speed: 1,
  follow: true, directed: true, // directed: the planned directions of view, until a hand turns it
  orbit: { look: [0, 0, 0.9], azimuth: 0, elevation: data.camera.elevation,
    distance: data.camera.distance },
};

function element(tag, name, text) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text !== undefined) made.textContent = text;
  return made;
}

const disc = (radius, colour) => [{
  kind: "cylinder", size: [radius, 0.006], pos: [0, 0, 0.006], rot: [1, 0, 0, 0], colour }];
const parts = data.bodies.concat(
  data.props.map((prop) => [prop]),
  data.markers.map((marker) => disc(marker.radius, marker.colour)),
  [disc(data.goal.radius, data.goal.colour)]);
const UPRIGHT = [1, 0, 0, 0, 1, 0, 0, 0, 1];

let canvas = null;
let renderer = null;

function startRenderer(kinds) {
  for (const make of kinds) {
    if (canvas) canvas.remove();
    canvas = element("canvas");
    find("stage").prepend(canvas);
    try {
      renderer = make(canvas, parts);
      canvas.addEventListener("webglcontextlost", () => startRenderer([makePainter]));
      find("stage").dataset.renderer = make === makeWebGL ? "webgl" : "2d";
      return;
    } catch (error) {
      console.info(`${make.name}: ${error.message}`);
      renderer = null;
    }
  }
  find("missing").hidden = false;
}

function readTheme() {
  const style = getComputedStyle(document.documentElement);
  const numbers = (name) => style.getPropertyValue(name).split(",").map((v) => Number(v) / 255);
  const css = `rgb(${style.getPropertyValue("--line")})`;
  return { floor: numbers("--floor"), line: numbers("--line"), css };
}
let theme = readTheme();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  theme = readTheme();
});

function stepAt(time) {
  let found = -1;
  data.steps.forEach((step, i) => { if (step.start <= time + 1e-6) found = i; });
  return found;
}

// ---- the plan and the checks -------------------------------------------------------------------

const seconds = (value) => `${value.toFixed(1)} s`;
const rows = [];

function describeStep(step, index) {
  const row = element("li");
  const button = element("button", "step");
  button.type = "button";
  button.append(element("span", "fill"), element("span", "command", `${index + 1}. ${step.command}`));
  const facts = element("span", "facts");
  if (step.skill) facts.append(element("span", "skill", step.skill));
  if (step.target) {
    facts.append(element("span", "", `→ (${step.target.map((v) => v.toFixed(1)).join(", ")})`));
  }
  facts.append(element("span", "", `${step.start.toFixed(1)}–${seconds(step.end)}`));
  if (step.ended) facts.append(element("span", "ended", step.ended));
  button.append(facts);
  button.addEventListener("click", () => jump(step.start));
  row.append(button);
  rows.push(row);
  find("steps").append(row);
  const part = element("button", "part");
  part.type = "button";
  part.title = `${index + 1}. ${step.command}`;
  part.style.left = `${100 * step.start / data.seconds}%`;
  part.style.width = `${100 * Math.max(0, step.end - step.start) / data.seconds}%`;
  part.tabIndex = -1;
  part.addEventListener("click", () => jump(step.start));
  find("parts").append(part);
}

function describe() {
  find("name").textContent = data.name.replace(/_/g, " ");
  find("instruction").textContent = data.instruction;
  data.steps.forEach(describeStep);
  find("plan").hidden = !data.steps.length;
  find("result").hidden = !data.checks.length;
  find("verdict").textContent = data.success ? "success" : "failed";
  find("verdict").classList.toggle("bad", !data.success);
  for (const check of data.checks) {
    const row = element("li", check.passed ? "good" : "bad");
    row.append(element("b", "", check.passed ? "✓" : "✗"), element("span", "", check.check));
    if (check.detail) row.append(element("small", "", check.detail));
    find("checks").append(row);
  }
}

const labels = data.props.map((prop, i) => ({ name: prop.name, part: data.bodies.length + i,
  height: prop.height })).concat(data.markers.map((marker) => ({ name: marker.name,
  at: [marker.position[0], marker.position[1], 0.1] })));
for (const label of labels) {
  label.element = element("span", "label", label.name);
  find("labels").append(label.element);
}

function placeLabels(view, poses, ratio) {
  for (const label of labels) {
    const at = label.at || poses[label.part].position.map((v, i) => v + (i === 2
      ? 0.5 * label.height * Math.abs(poses[label.part].rotation[8]) + 0.15 : 0));
    const seen = view.toCamera(at);
    const [x, y] = view.toPixels(seen);
    const visible = seen[2] > view.near;
    label.element.style.visibility = visible ? "visible" : "hidden";
    label.element.style.transform =
      `translate(${x / ratio}px, ${y / ratio}px) translate(-50%, -100%)`;
  }
}

// ---- time --------------------------------------------------------------------------------------

function jump(time) {
  state.time = clamp(time, 0, data.seconds);
  show(true);
}

function setPlaying(playing) {
  if (playing && state.time >= data.seconds) state.time = 0;
  state.playing = playing;
  find("play").textContent = playing ? "❚❚" : "▶";
  find("play").setAttribute("aria-label", playing ? "pause" : "play");
}

function followPoint(pelvis, snap) {
  const want = [pelvis[0], pelvis[1], 0.55 * pelvis[2] + 0.35];
  const look = state.orbit.look;
  const far = Math.hypot(want[0] - look[0], want[1] - look[1]);
  const share = snap || far > 3 ? 1 : 0.12;
  state.orbit.look = look.map((v, i) => v + share * (want[i] - v));
}

function plannedAzimuth(time) {
  const { azimuths, every } = data.camera;
  const exact = clamp(time / every, 0, azimuths.length - 1);
  const before = Math.floor(exact);
  const after = Math.min(before + 1, azimuths.length - 1);
  return azimuths[before] + (exact - before) * (azimuths[after] - azimuths[before]);
}

function show(snap) {
  const ratio = Math.min(devicePixelRatio || 1, 2);
  const [width, height] = [find("stage").clientWidth, find("stage").clientHeight];
  if (renderer && width && height) {
    const size = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== size[0]) canvas.width = size[0];
    if (canvas.height !== size[1]) canvas.height = size[1];
    const poses = motion.poses(state.time);
    if (state.follow) followPoint(poses[0].position, snap);
    if (state.follow && state.directed) state.orbit.azimuth = plannedAzimuth(state.time);
    const step = data.steps[stepAt(state.time)];
    const flat = (point) => ({ position: [point[0], point[1], 0], rotation: UPRIGHT });
    const casting = poses.length;
    poses.push(...data.markers.map((marker) => flat(marker.position)));
    poses.push(step && step.target ? flat(step.target) : null);
    const view = makeView(state.orbit, canvas.width, canvas.height);
    renderer.draw(view, state.orbit.look, poses, theme, casting);
    placeLabels(view, poses, ratio);
  }
  find("scrub").value = String(state.time);
  find("clock").textContent = `${state.time.toFixed(1)} / ${seconds(data.seconds)}`;
  showStep();
}

let shownStep = null;
function showStep() {
  const index = stepAt(state.time);
  const step = data.steps[index];
  rows.forEach((row, i) => {
    const { start, end } = data.steps[i];
    const share = clamp((state.time - start) / Math.max(end - start, 1e-6), 0, 1);
    row.querySelector(".fill").style.width = `${100 * share}%`;
  });
  find("now").textContent = step ? step.command : "";
  if (index === shownStep) return;
  shownStep = index;
  rows.forEach((row, i) => row.classList.toggle("running", i === index));
  Array.from(find("parts").children).forEach((p, i) => p.classList.toggle("running", i === index));
  const list = find("steps");
  if (rows[index] && list.scrollHeight > list.clientHeight) {
    list.scrollTop = rows[index].offsetTop - list.offsetTop - 40;
  }
}

let last = null;
function tick(now) {
  const passed = last === null ? 0 : Math.min((now - last) / 1000, 0.2);
  last = now;
  if (state.playing) {
    state.time = Math.min(state.time + passed * state.speed, data.seconds);
    if (state.time >= data.seconds) setPlaying(false);
  }
  show(false);
  requestAnimationFrame(tick);
}

// ---- hands -------------------------------------------------------------------------------------

const pointers = new Map();
let pinched = null; // where two fingers came down

function spread() {
  const [a, b] = Array.from(pointers.values());
  return { distance: Math.hypot(a.x - b.x, a.y - b.y), x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
}

function zoom(factor) {
  state.orbit.distance = clamp(state.orbit.distance * factor, 1.2, 40);
}

function pan(dx, dy) {
  setFollow(false);
  const angle = state.orbit.azimuth * Math.PI / 180;
  const scale = state.orbit.distance / find("stage").clientHeight;
  const [side, ahead] = [-dx * scale, dy * scale * 1.6];
  state.orbit.look[0] += side * Math.sin(angle) + ahead * Math.cos(angle);
  state.orbit.look[1] += -side * Math.cos(angle) + ahead * Math.sin(angle);
}

function orbitBy(dx, dy) {
  state.directed = false;
  state.orbit.azimuth -= 0.35 * dx;
  state.orbit.elevation = clamp(state.orbit.elevation - 0.25 * dy, -88, -1);
}

function setFollow(follow) {
  state.follow = state.directed = follow;
  find("follow").setAttribute("aria-pressed", String(follow));
}

function onMove(event) {
  const held = pointers.get(event.pointerId);
  if (!held) return;
  const before = pointers.size === 2 ? spread() : null;
  const [dx, dy] = [event.clientX - held.x, event.clientY - held.y];
  pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  if (before) {
    const after = spread();
    zoom(before.distance / Math.max(after.distance, 1));
    // A pinch is never quite even: only a clear move of both fingers leaves the humanoid.
    if (!state.follow || Math.hypot(after.x - pinched.x, after.y - pinched.y) > 60) {
      pan(after.x - before.x, after.y - before.y);
    }
  } else if (event.buttons & 2 || event.shiftKey) pan(dx, dy);
  else orbitBy(dx, dy);
}

function listen() {
  const stage = find("stage");
  stage.addEventListener("pointerdown", (event) => {
    stage.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (pointers.size === 2) pinched = spread();
  });
  stage.addEventListener("pointermove", onMove);
  for (const name of ["pointerup", "pointercancel"]) {
    stage.addEventListener(name, (event) => pointers.delete(event.pointerId));
  }
  stage.addEventListener("contextmenu", (event) => event.preventDefault());
  stage.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(Math.exp(0.0012 * event.deltaY));
  }, { passive: false });
  find("play").addEventListener("click", () => setPlaying(!state.playing));
  find("follow").addEventListener("click", () => setFollow(!state.follow));
  find("speed").addEventListener("change", (event) => { state.speed = Number(event.target.value); });
  find("scrub").max = String(data.seconds);
  find("scrub").addEventListener("input", (event) => jump(Number(event.target.value)));
  document.addEventListener("keydown", (event) => {
    if (/^(SELECT|INPUT|BUTTON)$/.test(event.target.tagName) && event.key === " ") return;
    if (event.key === " ") setPlaying(!state.playing);
    else if (event.key === "f") setFollow(!state.follow);
    else if (event.key === "ArrowRight" && event.target.tagName !== "INPUT") jump(state.time + 0.5);
    else if (event.key === "ArrowLeft" && event.target.tagName !== "INPUT") jump(state.time - 0.5);
    else return;
    if (event.key === " ") event.preventDefault();
  });
}

describe();
listen();
setPlaying(state.playing);
startRenderer(asked.has("2d") ? [makePainter] : [makeWebGL, makePainter]);
show(true);
requestAnimationFrame(tick);
