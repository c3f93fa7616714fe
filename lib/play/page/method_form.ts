/**
 * The form of one answer's method: which it is, its β as a slider and as a number, and its other knobs.
 *
 * @module
 */

import { element, type Fields, valueOf } from "./parts.ts";

/** What a form begins with. */
export interface MethodFormOptions {
  /** What its answer is called. */
  readonly name: string;
  /** The knobs of each method, in snake case. */
  readonly methods: Readonly<Record<string, readonly string[]>>;
  readonly method: string;
  readonly beta: number;
  /** Called when the method or a knob changes. */
  readonly onChange: () => void;
}

/** A form. */
export interface MethodForm {
  /** Its rows: method, β, other knobs. */
  readonly elements: readonly HTMLElement[];
  /** The method's fields as they stand. */
  readonly fields: () => Fields;
  /** Sets the fields; what is unknown is passed over. */
  readonly set: (fields: Fields) => void;
}

/** The slider's ends: powers of two, and one step beyond them, which is ∞. */
const LEAST = -4, MOST = 4.25;

const betaOf = (place: number) => place >= MOST ? Infinity : 2 ** place;
const placeOf = (beta: number) => beta === Infinity ? MOST : Math.max(LEAST, Math.log2(beta));
const betaText = (beta: number) => beta === Infinity ? "∞" : `${Number(beta.toPrecision(3))}`;

/** β as it is typed. */
function parsedBeta(text: string): number {
  return /^\s*(∞|inf(inity)?)\s*$/i.test(text) ? Infinity : text.trim() === "" ? NaN : Number(text);
}

/** β as a slider and as a number: whichever is moved moves the other. */
function betaRow(name: string, first: number, onChange: () => void) {
  const slider = element("input", {
    ...{ type: "range", id: `${name}-slider`, min: `${LEAST}`, max: `${MOST}`, step: "0.25" },
    value: `${placeOf(first)}`,
  });
  const exact = element("input", { id: `${name}-beta`, size: "5", value: betaText(first) });
  const tell = () => slider.setAttribute("aria-valuetext", betaText(parsedBeta(exact.value)));
  const follow = () => {
    const beta = parsedBeta(exact.value);
    if (beta >= 0) slider.value = `${placeOf(beta)}`;
    tell();
  };
  tell();
  slider.addEventListener("input", () => {
    exact.value = betaText(betaOf(Number(slider.value)));
    tell();
    onChange();
  });
  exact.addEventListener("change", () => (follow(), onChange()));
  return {
    row: element(
      "div",
      { className: "beta" },
      ...[element("label", { htmlFor: slider.id }, "β"), slider],
      ...[element("label", { htmlFor: exact.id }, "="), exact],
    ),
    value: () => valueOf(exact.value.replace("∞", "Infinity")),
    set(text: string) {
      exact.value = text.replace("Infinity", "∞");
      follow();
    },
  };
}

/** Makes a form. */
export function methodForm(options: MethodFormOptions): MethodForm {
  const { name, methods, method, onChange } = options;
  const select = element("select", { id: `${name}-method` });
  for (const own of Object.keys(methods)) select.append(element("option", { value: own }, own));
  select.value = method;
  const beta = betaRow(name, options.beta, onChange),
    knobs = element("div", { className: "knobs" });
  const summary = element("summary", { className: "muted" }, "more knobs");
  const more = element("details", {}, summary, knobs);

  const hasBeta = () => methods[select.value]!.includes("beta");
  const inputs = () => [...knobs.querySelectorAll("input")];
  const showKnobs = () => {
    beta.row.hidden = !hasBeta();
    const own = methods[select.value]!.filter((knob) => knob !== "beta");
    more.hidden = own.length === 0;
    knobs.replaceChildren(...own.map((knob) => {
      const input = element("input", {
        ...{ id: `${name}-${knob}`, placeholder: "default", name: knob },
      });
      input.addEventListener("change", onChange);
      return element("label", { htmlFor: input.id }, knob.replaceAll("_", " "), input);
    }));
  };
  showKnobs();
  select.addEventListener("change", () => (showKnobs(), onChange()));
  return {
    elements: [
      element(
        "div",
        { className: "row" },
        element("label", { htmlFor: select.id }, `${name} method`, select),
      ),
      ...[beta.row, more],
    ],
    fields: () => ({
      moi_method: select.value,
      ...(hasBeta() ? { moi_beta: beta.value() } : {}),
      ...Object.fromEntries(
        inputs().filter(({ value }) => value.trim() !== "")
          .map(({ name: knob, value }) => [`moi_${knob}`, valueOf(value)]),
      ),
    }),
    set({ moi_method: own, moi_beta: value, ...rest }) {
      if (typeof own === "string" && Object.hasOwn(methods, own)) select.value = own;
      showKnobs();
      if (value !== undefined) beta.set(`${value}`);
      for (const input of inputs()) input.value = `${rest[`moi_${input.name}`] ?? ""}`;
    },
  };
}
