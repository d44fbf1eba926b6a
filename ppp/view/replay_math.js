// Vectors, rotations and the recorded motion. z up, metres, quaternions w, x, y, z.

const SUN = [-0.45, -0.55, 1.0]; // towards the sun, as in the film

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const subtract = (a, b) => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (a, b) => [
  a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
const unit = (a) => {
  const length = Math.hypot(a[0], a[1], a[2]) || 1;
  return [a[0] / length, a[1] / length, a[2] / length];
};

// Rotation matrix of a quaternion, rows one after the other (9).
function rotationOf([w, x, y, z]) {
  return [
    1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
    2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
    2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)];
}

const turn = (r, v) => [
  r[0] * v[0] + r[1] * v[1] + r[2] * v[2],
  r[3] * v[0] + r[4] * v[1] + r[5] * v[2],
  r[6] * v[0] + r[7] * v[1] + r[8] * v[2]];

const place = (pose, v) => {
  const turned = turn(pose.rotation, v);
  return [turned[0] + pose.position[0], turned[1] + pose.position[1], turned[2] + pose.position[2]];
};

function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes.buffer;
}

// The recorded motion: poses of the 17 bodies, then of the props, at any time in seconds.
function makeMotion(packed, bodies, props) {
  const root = new Float32Array(bytesOf(packed.root));
  const offsets = new Int16Array(bytesOf(packed.offsets));
  const rotations = new Int16Array(bytesOf(packed.rotations));
  const propPositions = new Float32Array(bytesOf(packed.prop_pos));
  const propRotations = new Int16Array(bytesOf(packed.prop_rot));

  function bodyPosition(frame, body) {
    const r = root.subarray(3 * frame, 3 * frame + 3);
    if (body === 0) return [r[0], r[1], r[2]];
    const at = 3 * (frame * (bodies - 1) + body - 1);
    return [0, 1, 2].map((i) => r[i] + packed.scale * offsets[at + i]);
  }

  function mix(first, second, share) {
    return first.map((value, i) => value + share * (second[i] - value));
  }

  function turnBetween(values, before, after, share) {
    const a = Array.from(values.subarray(before, before + 4));
    let b = Array.from(values.subarray(after, after + 4));
    if (a.reduce((sum, v, i) => sum + v * b[i], 0) < 0) b = b.map((v) => -v);
    const mixed = mix(a, b, share);
    const length = Math.hypot(...mixed) || 1;
    return rotationOf(mixed.map((v) => v / length));
  }

  function propPose(index, before, after, share) {
    const column = packed.moving.indexOf(index);
    const still = packed.still[index];
    if (column < 0) return { position: still.slice(0, 3), rotation: rotationOf(still.slice(3)) };
    const count = packed.moving.length;
    const at = (frame, width) => width * (frame * count + column);
    const position = (frame) => Array.from(propPositions.subarray(at(frame, 3), at(frame, 3) + 3));
    return {
      position: mix(position(before), position(after), share),
      rotation: turnBetween(propRotations, at(before, 4), at(after, 4), share),
    };
  }

  return {
    poses(time) {
      const exact = clamp(time * packed.fps, 0, packed.frames - 1);
      const before = Math.floor(exact);
      const after = Math.min(before + 1, packed.frames - 1);
      const share = exact - before;
      const out = [];
      for (let body = 0; body < bodies; body++) {
        out.push({
          position: mix(bodyPosition(before, body), bodyPosition(after, body), share),
          rotation: turnBetween(rotations, 4 * (before * bodies + body),
            4 * (after * bodies + body), share),
        });
      }
      for (let prop = 0; prop < props; prop++) out.push(propPose(prop, before, after, share));
      return out;
    },
  };
}

// A camera that looks at a point: eye, axes, and projection of world points to pixels.
function makeView(orbit, width, height) {
  const azimuth = orbit.azimuth * Math.PI / 180;
  const elevation = orbit.elevation * Math.PI / 180;
  const forward = [
    Math.cos(azimuth) * Math.cos(elevation), Math.sin(azimuth) * Math.cos(elevation),
    Math.sin(elevation)];
  const eye = orbit.look.map((v, i) => v - orbit.distance * forward[i]);
  const right = unit(cross(forward, [0, 0, 1]));
  const up = cross(right, forward);
  // 40 degrees over the smaller side, so that a narrow window shows as much as a wide one.
  const focal = Math.min(width / height, 1) / Math.tan(20 * Math.PI / 180);
  const near = 0.1;
  const far = 120;

  function toCamera(point) {
    const d = subtract(point, eye);
    return [dot(d, right), dot(d, up), dot(d, forward)];
  }

  function toPixels([x, y, depth]) {
    const scale = 0.5 * height * focal / depth;
    return [0.5 * width + x * scale, 0.5 * height - y * scale, scale];
  }

  // Column-major clip matrix for WebGL.
  function matrix() {
    const sx = focal * height / width;
    const a = (far + near) / (far - near);
    const b = -2 * far * near / (far - near);
    const rows = [
      right.map((v) => v * sx).concat(-dot(right, eye) * sx),
      up.map((v) => v * focal).concat(-dot(up, eye) * focal),
      forward.map((v) => v * a).concat(-dot(forward, eye) * a + b),
      forward.concat(-dot(forward, eye))];
    const out = new Float32Array(16);
    for (let c = 0; c < 4; c++) for (let r = 0; r < 4; r++) out[4 * c + r] = rows[r][c];
    return out;
  }

  return { eye, near, toCamera, toPixels, matrix };
}
