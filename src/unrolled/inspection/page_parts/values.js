// The page's data: packed blocks, and the values of any quantity at any step and unit.

const MISSING = 255;

/** The bytes of a packed block: base64 of a zlib stream. */
async function unpack(id) {
  const packed = atob(document.getElementById(id).textContent);
  const bytes = new Uint8Array(packed.length);
  for (let place = 0; place < packed.length; place++) bytes[place] = packed.charCodeAt(place);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const unpackText = async (id) => new TextDecoder().decode(await unpack(id));

/** One gate, state or pre-activation over time. */
class Quantity {
  constructor(place, told, form, about, codes) {
    this.place = place;
    this.name = place.slice(place.lastIndexOf(".") + 1);
    this.units = about.low.length;
    this.columns = about.columns;
    this.stride = form.stride; // steps in a column
    this.low = about.low;
    this.grain = about.high.map((high, unit) => (high - about.low[unit]) / (form.levels - 1));
    this.digits = form.levels > 100 ? 3 : 2; // more are not known
    this.function = told.function;
    this.gate = told.function === "sigmoid" || told.function === "hard_sigmoid";
    const reach = told.function === "tanh" ? 1 : about.reach || 1;
    [this.least, this.most] = this.gate ? [0, 1] : [-reach, reach]; // what colours span
    this.codes = codes;
  }

  /** The value of a unit at a step; NaN where it was not finite. */
  at(step, unit) {
    const code = this.codes[unit * this.columns + Math.floor(step / this.stride)];
    return code === MISSING || code === undefined ? NaN : this.low[unit] + code * this.grain[unit];
  }

  /** A value's place between the ends of the colours, 0 to 1. */
  share(value) {
    return Math.min(1, Math.max(0, (value - this.least) / (this.most - this.least)));
  }

  /**
   * The steps `from` to `to` as a table of at most so many rows and columns. Where several values fall on one cell it
   * shows their mean or, `strongest`, the one farthest from the middle of the colours.
   */
  shrink(from, to, columns, rows, strongest) {
    const first = Math.floor(from / this.stride);
    const count = Math.min(this.columns, Math.floor(to / this.stride) + 1) - first;
    const wide = Math.max(1, Math.ceil(count / columns));
    const tall = Math.max(1, Math.ceil(this.units / rows));
    const middle = (this.least + this.most) / 2;
    const table = [];
    for (let top = 0; top < this.units; top += tall) {
      const row = new Float32Array(Math.ceil(count / wide)).fill(strongest ? NaN : 0);
      const seen = new Uint32Array(row.length);
      for (let unit = top; unit < Math.min(this.units, top + tall); unit++) {
        const start = unit * this.columns + first;
        const low = this.low[unit];
        const grain = this.grain[unit];
        for (let column = 0, cell = 0, left = wide; column < count; column++) {
          const code = this.codes[start + column];
          if (code !== MISSING) {
            const value = low + code * grain;
            if (!strongest) row[cell] += value;
            else if (!seen[cell] || Math.abs(value - middle) > Math.abs(row[cell] - middle)) row[cell] = value;
            seen[cell] += 1;
          }
          if (--left === 0) [cell, left] = [cell + 1, wide];
        }
      }
      if (!strongest) for (let cell = 0; cell < row.length; cell++) row[cell] /= seen[cell]; // 0 / 0 is NaN: nothing
      table.push(row);
    }
    const width = wide * this.stride;
    return { z: table, x0: first * this.stride + (width - 1) / 2, dx: width, y0: (tall - 1) / 2, dy: tall };
  }
}
