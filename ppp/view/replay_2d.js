// Drawing where WebGL is missing: a painter's algorithm on a 2-D canvas, farthest shape first.

const shade = (colour, light) =>
  `rgb(${colour.map((v) => Math.round(255 * clamp(v * light, 0, 1))).join(",")})`;

function makePainter(canvas, parts) {
  const context = canvas.getContext("2d");
  if (!context) throw new Error("no canvas");

  function path(pixels) {
    context.beginPath();
    pixels.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
  }

  // A closed face, if it turns to the eye: world corners and world normal.
  function face(view, corners, normal, colour, out) {
    if (dot(normal, subtract(view.eye, corners[0])) <= 0) return;
    const seen = corners.map(view.toCamera);
    if (seen.some((p) => p[2] < view.near)) return;
    const light = 0.62 + 0.16 * normal[2] + 0.42 * Math.max(0, dot(normal, unit(SUN)));
    const depth = seen.reduce((sum, p) => sum + p[2], 0) / seen.length;
    const fill = shade(colour, light);
    out.push({ depth, paint() {
      path(seen.map(view.toPixels));
      context.closePath();
      context.fillStyle = context.strokeStyle = fill;
      context.lineWidth = 1;
      context.fill();
      context.stroke();
    } });
  }

  function solid(view, geom, world, outline, out) {
    for (const [normal, corners] of outline) {
      const turned = turn(world.rotation, normal);
      face(view, corners.map((c) => place(world, c)), turned, geom.colour, out);
    }
  }

  // A sphere is a dot and a capsule a thick line with round ends.
  function stick(view, geom, world, out) {
    const half = geom.kind === "capsule" ? geom.size[1] : 0;
    const ends = [-half, half].map((z) => view.toCamera(place(world, [0, 0, z])));
    if (ends.some((p) => p[2] < view.near)) return;
    const pixels = ends.map(view.toPixels);
    const width = geom.size[0] * (pixels[0][2] + pixels[1][2]);
    out.push({ depth: 0.5 * (ends[0][2] + ends[1][2]) - geom.size[0], paint() {
      context.lineCap = context.lineJoin = "round";
      for (const [wide, light, rise] of [[1, 0.72, 0], [0.68, 0.95, 0.1]]) {
        path(pixels.map(([x, y]) => [x - rise * width / 2, y - rise * width / 2]));
        context.lineTo(pixels[1][0] - rise * width / 2 + 0.01, pixels[1][1] - rise * width / 2);
        context.strokeStyle = shade(geom.colour, light);
        context.lineWidth = width * wide;
        context.stroke();
      }
    } });
  }

  function roundFaces([radius, half], around = 24) {
    const rim = (z) => Array.from({ length: around }, (_, i) => [
      radius * Math.cos(2 * Math.PI * i / around), radius * Math.sin(2 * Math.PI * i / around), z]);
    const [low, high] = [rim(-half), rim(half)];
    const sides = low.map((p, i) => {
      const next = (i + 1) % around;
      return [unit([p[0], p[1], 0]), [p, low[next], high[next], high[i]]];
    });
    return [[[0, 0, -1], low], [[0, 0, 1], high]].concat(sides);
  }

  function worldOf(pose, geom) {
    const inner = rotationOf(geom.rot);
    const rotation = [];
    for (let r = 0; r < 3; r++) {
      for (let c = 0; c < 3; c++) {
        rotation.push(dot(pose.rotation.slice(3 * r, 3 * r + 3), [inner[c], inner[3 + c], inner[6 + c]]));
      }
    }
    return { position: place(pose, geom.pos), rotation };
  }

  function grid(view, look, theme) {
    const away = subtract([look[0], look[1], 0], [view.eye[0], view.eye[1], 0]);
    const far = 40 / (Math.hypot(away[0], away[1]) || 1);
    const seen = view.toCamera([view.eye[0] + away[0] * far, view.eye[1] + away[1] * far, 0]);
    const horizon = seen[2] > view.near ? view.toPixels(seen)[1] : 0;
    context.fillStyle = shade(theme.floor, 1);
    context.fillRect(0, horizon, canvas.width, canvas.height);
    context.strokeStyle = theme.css;
    context.lineWidth = 1;
    const [cx, cy, reach] = [Math.round(look[0]), Math.round(look[1]), 12];
    for (let i = -reach; i <= reach; i++) {
      for (const along of [0, 1]) {
        for (let j = -reach; j < reach; j++) { // in short pieces, to drop those behind the eye
          const ends = [j, j + 1].map((k) => view.toCamera(
            along ? [cx + k, cy + i, 0] : [cx + i, cy + k, 0]));
          if (ends.some((p) => p[2] < view.near)) continue;
          context.globalAlpha = clamp(1.1 - Math.hypot(i, j) / reach, 0, 1);
          path(ends.map(view.toPixels));
          context.stroke();
        }
      }
    }
    context.globalAlpha = 1;
  }

  function shadows(view, poses, count) {
    context.fillStyle = "rgba(0,0,0,0.16)";
    for (let i = 0; i < count; i++) {
      for (const geom of parts[i]) {
        const reach = geom.kind === "box" ? Math.hypot(...geom.size.slice(0, 2)) : geom.size[0];
        const at = worldOf(poses[i], geom).position;
        const spot = view.toCamera(at.slice(0, 2).map((v, k) => v - SUN[k] * at[2]).concat(0));
        if (spot[2] < 1) continue;
        const [x, y, scale] = view.toPixels(spot);
        context.beginPath();
        context.ellipse(x, y, reach * scale, 0.4 * reach * scale, 0, 0, 2 * Math.PI);
        context.fill();
      }
    }
  }

  return {
    draw(view, look, poses, theme, casting) {
      context.clearRect(0, 0, canvas.width, canvas.height);
      grid(view, look, theme);
      shadows(view, poses, casting);
      const shapes = [];
      poses.forEach((pose, i) => pose && parts[i].forEach((geom) => {
        const world = worldOf(pose, geom);
        if (geom.kind === "box") solid(view, geom, world, boxFaces(geom.size), shapes);
        else if (geom.kind === "cylinder") solid(view, geom, world, roundFaces(geom.size), shapes);
        else stick(view, geom, world, shapes);
      }));
      shapes.sort((a, b) => b.depth - a.depth).forEach((shape) => shape.paint());
    },
  };
}
