// Molecules on canvases: ball and stick, turned with the mouse, a finger or the arrow keys.
"use strict";

// Element colours (CPK) and covalent radii in angstrom.
const LOOK = {
  H: ["#f2f2f2", 0.31], B: ["#ffb5b5", 0.84], C: ["#6e6e6e", 0.76], N: ["#3f63f0", 0.71], O: ["#ee2f2a", 0.66], F: ["#7ecb3c", 0.57],
  Al: ["#bfa6a6", 1.21], Si: ["#e0b989", 1.11], P: ["#ff8a1f", 1.07], S: ["#e8c61c", 1.05], Cl: ["#25c425", 1.02], As: ["#bd80e3", 1.19],
  Br: ["#a33428", 1.2], I: ["#9a1f9a", 1.39], Hg: ["#b0b0c4", 1.32], Bi: ["#9e4fb5", 1.48],
};
const UNKNOWN = ["#ff4fc3", 0.9];
const STICK = 0.12; // radius of a bond, angstrom
const BALL = 0.24; // an atom's radius is BALL + 0.22 * covalent radius
const EYE = 7; // distance of the eye in molecule radii; larger is flatter

const look = (symbol) => LOOK[symbol] || UNKNOWN;
const ballRadius = (symbol) => BALL + 0.22 * look(symbol)[1];
const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
const unit = (a) => { const length = Math.hypot(...a) || 1; return a.map((x) => x / length); };

// A colour moved towards white (amount > 0) or black (amount < 0).
function shade(hex, amount) {
  const target = amount > 0 ? 255 : 0;
  const part = (at) => { const c = parseInt(hex.slice(at, at + 2), 16); return Math.round(c + (target - c) * Math.abs(amount)); };
  return `rgb(${part(1)},${part(3)},${part(5)})`;
}

// The molecule about its middle, with its radius.
function centred(molecule) {
  const count = molecule.positions.length;
  const middle = [0, 1, 2].map((k) => molecule.positions.reduce((sum, p) => sum + p[k], 0) / count);
  const points = molecule.positions.map((p) => p.map((x, k) => x - middle[k]));
  const radius = Math.max(...points.map((p, i) => Math.hypot(...p) + ballRadius(molecule.symbols[i])));
  return { ...molecule, points, radius };
}

// Three rows of a rotation that shows the molecule from its broad side: its far atom on x, the next farthest from that axis on y.
function broadSide(points) {
  const farthest = (size) => points.reduce((best, p) => (size(p) > size(best) ? p : best), points[0]);
  const long = farthest((p) => dot(p, p));
  const x = dot(long, long) > 1e-6 ? unit(long) : [1, 0, 0];
  const beside = (p) => p.map((c, k) => c - dot(p, x) * x[k]);
  const wide = beside(farthest((p) => dot(beside(p), beside(p))));
  const y = dot(wide, wide) > 1e-6 ? unit(wide) : unit(cross(x, Math.abs(x[2]) < 0.9 ? [0, 0, 1] : [0, 1, 0]));
  return turned([x, y, cross(x, y)], 0.25, 0.35);
}

// The rotation, turned further about the screen's axes; orthonormalised so that rounding never piles up.
function turned(rows, aboutX, aboutY) {
  const [cx, sx, cy, sy] = [Math.cos(aboutX), Math.sin(aboutX), Math.cos(aboutY), Math.sin(aboutY)];
  const mix = (a, p, b, q) => a.map((v, k) => p * v + q * b[k]);
  const x = unit(mix(rows[0], cy, rows[2], sy));
  const z = mix(rows[2], cy, rows[0], -sy);
  const y = mix(rows[1], cx, z, -sx);
  const straight = unit(y.map((v, k) => v - dot(y, x) * x[k]));
  return [x, straight, cross(x, straight)];
}

class View {
  constructor(canvas, molecule, rows) {
    this.canvas = canvas;
    this.molecule = centred(molecule);
    this.rows = rows || broadSide(this.molecule.points);
    this.zoom = 1;
    canvas.view = this;
    this.listen();
    new ResizeObserver(() => this.redraw()).observe(canvas);
  }

  listen() {
    const canvas = this.canvas;
    let last = null;
    const stop = () => { last = null; };
    canvas.addEventListener("pointerdown", (e) => { last = e; canvas.setPointerCapture(e.pointerId); });
    canvas.addEventListener("pointermove", (e) => {
      if (!last) return;
      this.turn((e.clientY - last.clientY) * 0.012, (e.clientX - last.clientX) * 0.012);
      last = e;
    });
    canvas.addEventListener("pointerup", stop);
    canvas.addEventListener("pointercancel", stop);
    canvas.addEventListener("keydown", (e) => {
      const step = { ArrowUp: [-0.15, 0], ArrowDown: [0.15, 0], ArrowLeft: [0, -0.15], ArrowRight: [0, 0.15] }[e.key];
      if (step) { e.preventDefault(); this.turn(...step); } else if (e.key === "Enter") enlarge(this);
    });
  }

  turn(aboutX, aboutY) {
    for (const view of this.together || [this]) { view.rows = turned(view.rows, aboutX, aboutY); view.redraw(); }
  }

  redraw() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.draw());
  }

  draw() {
    const side = this.canvas.clientWidth;
    if (!side) return;
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = this.canvas.height = Math.round(side * ratio);
    const context = this.canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const { points, radius, symbols, bonds } = this.molecule;
    const scale = (0.47 * side * this.zoom) / Math.max(radius, 1.2);
    const eye = EYE * Math.max(radius, 1.2);
    const atoms = points.map((p, i) => {
      const [x, y, z] = this.rows.map((row) => dot(row, p));
      const size = (scale * eye) / (eye - z);
      return { x: side / 2 + x * size, y: side / 2 - y * size, z, size, symbol: symbols[i], r: ballRadius(symbols[i]) * size };
    });
    const parts = atoms.map((atom) => ({ z: atom.z, draw: () => ball(context, atom) }));
    for (const [i, j, pairs] of bonds) {
      const [a, b] = [atoms[i], atoms[j]];
      const middle = { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, z: (a.z + b.z) / 2, size: (a.size + b.size) / 2 };
      for (const end of [a, b]) {
        const start = towards(end, middle);
        parts.push({ z: (start.z + middle.z) / 2, draw: () => stick(context, start, middle, a, b, pairs) });
      }
    }
    parts.sort((p, q) => p.z - q.z).forEach((part) => part.draw());
  }
}

// Where a bond leaves its atom: a little inside the ball.
function towards(end, middle) {
  const half = Math.hypot((end.x - middle.x) / middle.size, (end.y - middle.y) / middle.size, end.z - middle.z) || 1;
  const share = Math.min(1, (0.85 * ballRadius(end.symbol)) / half);
  const at = (key) => end[key] + share * (middle[key] - end[key]);
  return { x: at("x"), y: at("y"), z: at("z"), symbol: end.symbol };
}

function ball(context, { x, y, r, symbol }) {
  const colour = look(symbol)[0];
  const light = context.createRadialGradient(x - 0.35 * r, y - 0.4 * r, 0.1 * r, x, y, r);
  light.addColorStop(0, shade(colour, 0.75));
  light.addColorStop(0.45, colour);
  light.addColorStop(1, shade(colour, -0.5));
  context.fillStyle = light;
  context.beginPath();
  context.arc(x, y, r, 0, 2 * Math.PI);
  context.fill();
}

// Half a bond, in the colour of its atom; one line an electron pair.
function stick(context, end, middle, a, b, pairs) {
  const length = Math.hypot(b.x - a.x, b.y - a.y) || 1;
  const across = [-(b.y - a.y) / length, (b.x - a.x) / length];
  const width = STICK * middle.size * (pairs === 1 ? 1 : 0.62);
  const colour = look(end.symbol)[0];
  for (let k = 0; k < pairs; k++) {
    const offset = (k - (pairs - 1) / 2) * 0.2 * middle.size;
    for (const [share, tone] of [[2, -0.4], [1.2, 0], [0.45, 0.35]]) {
      context.strokeStyle = shade(colour, tone);
      context.lineWidth = width * share;
      context.beginPath();
      context.moveTo(end.x + across[0] * offset, end.y + across[1] * offset);
      context.lineTo(middle.x + across[0] * offset, middle.y + across[1] * offset);
      context.stroke();
    }
  }
}

// One molecule, large: the wheel zooms, and any drag turns.
function enlarge(view) {
  const dialog = document.body.appendChild(document.createElement("dialog"));
  const canvas = dialog.appendChild(document.createElement("canvas"));
  dialog.addEventListener("click", (e) => { if (e.target === dialog) dialog.close(); });
  dialog.addEventListener("close", () => dialog.remove());
  dialog.showModal();
  const large = new View(canvas, view.molecule, view.rows);
  canvas.addEventListener("wheel", (e) => {
    e.preventDefault();
    large.zoom = Math.min(4, Math.max(0.4, large.zoom * Math.exp(-0.001 * e.deltaY)));
    large.redraw();
  }, { passive: false });
}

for (const gallery of document.querySelectorAll(".gallery")) {
  const molecules = JSON.parse(gallery.querySelector("script").textContent);
  // The frames of a trajectory are seen from one side, that of the last, and turn together.
  const rows = gallery.classList.contains("chain") ? broadSide(centred(molecules.at(-1)).points) : undefined;
  const views = [...gallery.querySelectorAll("canvas")].map((canvas, i) => {
    const view = new View(canvas, molecules[i], rows);
    canvas.addEventListener("dblclick", () => enlarge(view));
    return view;
  });
  if (rows) views.forEach((view) => { view.together = views; });
}
