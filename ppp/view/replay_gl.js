// Drawing with WebGL: every part is one mesh of coloured triangles, shadows are flattened meshes.

const SHAPE_VERTEX = `
attribute vec3 position; attribute vec3 normal; attribute vec3 colour;
uniform mat4 clip; uniform mat4 model; uniform mediump vec3 sun; uniform mediump float flatten;
varying vec3 vNormal; varying vec3 vColour; varying vec3 vWorld;
void main() {
  vec4 world = model * vec4(position, 1.0);
  if (flatten > 0.5) world = vec4(world.xy - sun.xy / sun.z * world.z, 0.004, 1.0);
  vNormal = mat3(model) * normal; vColour = colour; vWorld = world.xyz;
  gl_Position = clip * world;
}`;
const SHAPE_FRAGMENT = `
precision mediump float;
varying vec3 vNormal; varying vec3 vColour; varying vec3 vWorld;
uniform mediump vec3 sun; uniform vec3 eye; uniform mediump float flatten;
void main() {
  if (flatten > 0.5) { gl_FragColor = vec4(0.0, 0.0, 0.0, 0.42); return; }
  vec3 n = normalize(vNormal), l = normalize(sun), v = normalize(eye - vWorld);
  float light = 0.62 + 0.16 * n.z + 0.42 * max(dot(n, l), 0.0);
  float shine = 0.18 * pow(max(dot(n, normalize(l + v)), 0.0), 40.0);
  gl_FragColor = vec4(vColour * light + shine, 1.0);
}`;
const FLOOR_VERTEX = `
attribute vec2 position; uniform mat4 clip; uniform vec2 centre; varying vec2 vWorld;
void main() {
  vWorld = centre + position * 60.0; gl_Position = clip * vec4(vWorld, 0.0, 1.0);
}`;
const FLOOR_FRAGMENT = `
#extension GL_OES_standard_derivatives : enable
precision highp float;
varying vec2 vWorld; uniform vec2 centre; uniform vec3 tone; uniform vec3 line;
void main() {
  vec2 width = fwidth(vWorld) + 0.0001;
  vec2 edge = abs(fract(vWorld - 0.5) - 0.5) / width;
  float grid = (1.0 - min(min(edge.x, edge.y), 1.0)) * clamp(0.12 / max(width.x, width.y), 0.0, 1.0);
  float odd = mod(floor(vWorld.x) + floor(vWorld.y), 2.0);
  float soft = clamp(0.25 / max(width.x, width.y), 0.0, 1.0);
  vec3 colour = mix(tone * (1.0 - 0.045 * odd * soft), line, 0.75 * grid);
  float away = length(vWorld - centre);
  gl_FragColor = vec4(colour, 1.0) * (1.0 - smoothstep(9.0, 32.0, away));
}`;

// Triangles of a geom in its body's frame: position, normal, colour, nine numbers a corner.
function meshOf(geom) {
  const rotation = rotationOf(geom.rot);
  const out = [];
  const corner = (p, n) => {
    const at = turn(rotation, p).map((v, i) => v + geom.pos[i]);
    out.push(...at, ...turn(rotation, n), ...geom.colour);
  };
  const quad = (points, normals) => {
    for (const i of [0, 1, 2, 0, 2, 3]) corner(points[i], normals[i]);
  };
  if (geom.kind === "box") boxFaces(geom.size).forEach(([n, face]) => quad(face, [n, n, n, n]));
  else revolve(profileOf(geom), geom.kind === "cylinder" ? 40 : 20, quad);
  return new Float32Array(out);
}

// The six faces of a box of half extents: [normal, four corners counter-clockwise from outside].
function boxFaces(half) {
  const faces = [];
  for (let axis = 0; axis < 3; axis++) {
    for (const side of [-1, 1]) {
      const [u, v] = [(axis + 1) % 3, (axis + 2) % 3];
      const normal = [0, 0, 0];
      normal[axis] = side;
      const face = [[-1, -1], [1, -1], [1, 1], [-1, 1]].map(([a, b]) => {
        const point = [0, 0, 0];
        point[axis] = side * half[axis];
        point[u] = a * side * half[u];
        point[v] = b * half[v];
        return point;
      });
      faces.push([normal, face]);
    }
  }
  return faces;
}

// Outline of a round geom from bottom to top: [radius, z, normal outwards, normal upwards].
function profileOf(geom) {
  const [radius, half] = [geom.size[0], geom.size[1] || 0];
  if (geom.kind === "cylinder") {
    return [[0, -half, 0, -1], [radius, -half, 0, -1], [radius, -half, 1, 0], [radius, half, 1, 0],
      [radius, half, 0, 1], [0, half, 0, 1]];
  }
  const middle = geom.kind === "capsule" ? half : 0;
  const profile = [];
  for (let i = 0; i <= 12; i++) {
    const angle = -Math.PI / 2 + Math.PI * i / 12;
    const [out, up] = [Math.cos(angle), Math.sin(angle)];
    if (i === 6) profile.push([radius, -middle, 1, 0]);
    profile.push([radius * out, radius * up + (i < 6 ? -middle : middle), out, up]);
  }
  return profile;
}

function revolve(profile, around, quad) {
  for (let k = 0; k < around; k++) {
    const spokes = [k, k + 1].map((i) => 2 * Math.PI * i / around);
    const point = ([r, z], a) => [r * Math.cos(a), r * Math.sin(a), z];
    const normal = ([, , out, up], a) => [out * Math.cos(a), out * Math.sin(a), up];
    for (let i = 0; i + 1 < profile.length; i++) {
      const [low, high] = [profile[i], profile[i + 1]];
      quad(
        [point(low, spokes[0]), point(low, spokes[1]), point(high, spokes[1]), point(high, spokes[0])],
        [normal(low, spokes[0]), normal(low, spokes[1]), normal(high, spokes[1]),
          normal(high, spokes[0])]);
    }
  }
}

function makeProgram(gl, vertex, fragment) {
  const program = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) {
    throw new Error(`the shaders do not link ${gl.getProgramInfoLog(program)}`);
  }
  const places = {};
  const count = gl.getProgramParameter(program, gl.ACTIVE_UNIFORMS);
  for (let i = 0; i < count; i++) {
    const { name } = gl.getActiveUniform(program, i);
    places[name] = gl.getUniformLocation(program, name);
  }
  return { program, places };
}

function makeBuffer(gl, values) {
  const buffer = gl.createBuffer();
  gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
  gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
  return buffer;
}

const modelMatrix = ({ position: p, rotation: r }) => new Float32Array([
  r[0], r[3], r[6], 0, r[1], r[4], r[7], 0, r[2], r[5], r[8], 0, p[0], p[1], p[2], 1]);

// A renderer on a canvas, or an exception where WebGL is missing. parts: geoms of each body, prop
// and disc; draw(view, poses, theme, shadows): the first `shadows` poses cast one.
function makeWebGL(canvas, parts) {
  const gl = canvas.getContext("webgl", { antialias: true, stencil: true, alpha: true });
  if (!gl) throw new Error("no WebGL");
  if (!gl.getExtension("OES_standard_derivatives")) throw new Error("no derivatives in WebGL");
  const shape = makeProgram(gl, SHAPE_VERTEX, SHAPE_FRAGMENT);
  const floor = makeProgram(gl, FLOOR_VERTEX, FLOOR_FRAGMENT);
  const meshes = parts.map((geoms) => {
    const corners = geoms.map(meshOf);
    const all = new Float32Array(corners.reduce((sum, c) => sum + c.length, 0));
    corners.reduce((at, c) => (all.set(c, at), at + c.length), 0);
    return { buffer: makeBuffer(gl, all), count: all.length / 9 };
  });
  const plane = makeBuffer(gl, new Float32Array([-1, -1, 1, -1, 1, 1, -1, -1, 1, 1, -1, 1]));
  const shapeSlots = ["position", "normal", "colour"].map(
    (name) => gl.getAttribLocation(shape.program, name));
  const floorSlot = gl.getAttribLocation(floor.program, "position");

  function drawFloor(clip, look, theme) {
    gl.useProgram(floor.program);
    gl.uniformMatrix4fv(floor.places.clip, false, clip);
    gl.uniform2f(floor.places.centre, look[0], look[1]);
    gl.uniform3fv(floor.places.tone, theme.floor);
    gl.uniform3fv(floor.places.line, theme.line);
    gl.bindBuffer(gl.ARRAY_BUFFER, plane);
    gl.enableVertexAttribArray(floorSlot);
    gl.vertexAttribPointer(floorSlot, 2, gl.FLOAT, false, 0, 0);
    gl.drawArrays(gl.TRIANGLES, 0, 6);
  }

  function drawMesh(mesh, pose) {
    gl.uniformMatrix4fv(shape.places.model, false, modelMatrix(pose));
    gl.bindBuffer(gl.ARRAY_BUFFER, mesh.buffer);
    shapeSlots.forEach((slot, i) => {
      if (slot < 0) return;
      gl.enableVertexAttribArray(slot);
      gl.vertexAttribPointer(slot, 3, gl.FLOAT, false, 36, 12 * i);
    });
    gl.drawArrays(gl.TRIANGLES, 0, mesh.count);
  }

  function drawShadows(poses, count) {
    gl.enable(gl.STENCIL_TEST); // a spot in the shadow of two limbs is not darker than of one
    gl.stencilFunc(gl.EQUAL, 0, 1);
    gl.stencilOp(gl.KEEP, gl.KEEP, gl.INCR);
    gl.depthMask(false);
    gl.uniform1f(shape.places.flatten, 1);
    for (let i = 0; i < count; i++) drawMesh(meshes[i], poses[i]);
    gl.depthMask(true);
    gl.disable(gl.STENCIL_TEST);
  }

  return {
    draw(view, look, poses, theme, shadows) {
      const clip = view.matrix();
      gl.viewport(0, 0, canvas.width, canvas.height);
      gl.clearColor(0, 0, 0, 0);
      gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT | gl.STENCIL_BUFFER_BIT);
      gl.enable(gl.DEPTH_TEST);
      gl.enable(gl.BLEND);
      gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
      drawFloor(clip, look, theme);
      gl.useProgram(shape.program);
      gl.uniformMatrix4fv(shape.places.clip, false, clip);
      gl.uniform3fv(shape.places.sun, SUN);
      gl.uniform3fv(shape.places.eye, view.eye);
      drawShadows(poses, shadows);
      gl.uniform1f(shape.places.flatten, 0);
      poses.forEach((pose, i) => pose && drawMesh(meshes[i], pose));
    },
  };
}
