/**
 * One of the two answers: its method, and its text as it comes.
 *
 * @module
 */

import { type TokenList, tokenList } from "../../plot/page/token_list.ts";
import type { Token } from "../../plot/page/tokens.ts";
import { element, type Ended, endText, type Fields, methodText, valueOf } from "./parts.ts";
import { streamed } from "./stream.ts";

/** What both sides are asked: all of a request but its method. */
export type Asked = Readonly<Record<string, unknown>>;

/** What a side is told by the page. */
export interface SideOptions {
  readonly name: string;
  /** The knobs of each method, in snake case. */
  readonly methods: Readonly<Record<string, readonly string[]>>;
  readonly method: string;
  readonly beta: number;
  /** What the form says. */
  readonly asked: () => Asked;
  /** Called when the method or a knob changes. */
  readonly onChange: () => void;
  /** Called with every change of the tokens. */
  readonly onToken: (index: number) => void;
  readonly onSelect: (index: number) => void;
}

/** One answer. */
export interface Side {
  readonly element: HTMLElement;
  readonly list: TokenList;
  /** The method's fields as they stand. */
  readonly fields: () => Fields;
  /** Sets the fields. */
  readonly set: (fields: Fields) => void;
  /** Index of the chosen token. */
  selected: number | undefined;
  /** The method that made what was fed after a token, in words. */
  readonly methodAt: (index: number) => string;
  /** Decodes anew: all, or from a token on where only the method has changed. */
  readonly run: (from?: number) => Promise<void>;
  readonly stop: () => void;
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

/** Makes one of the two answers. */
export function openSide(options: SideOptions): Side {
  const { name, methods, asked, onChange, onToken, onSelect } = options;
  const id = (part: string) => `${name}-${part}`;
  const select = element("select", { id: id("method") });
  for (const own of Object.keys(methods)) select.append(element("option", { value: own }, own));
  select.value = options.method;
  const slider = element("input", {
    ...{ type: "range", id: id("slider"), min: `${LEAST}`, max: `${MOST}`, step: "0.25" },
    value: `${placeOf(options.beta)}`,
  });
  const exact = element("input", { id: id("beta"), size: "5", value: betaText(options.beta) });
  const betaRow = element(
    "div",
    { className: "beta" },
    element("label", { htmlFor: id("slider") }, "β"),
    slider,
    element("label", { htmlFor: id("beta") }, "="),
    exact,
  );
  const knobs = element("div", { className: "knobs" });
  const more = element(
    "details",
    {},
    element("summary", { className: "muted" }, "more knobs"),
    knobs,
  );
  const status = element("p", { className: "status" }),
    error = element("p", { className: "error" });
  status.setAttribute("role", "status");
  error.setAttribute("role", "alert");
  const list = tokenList({ label: `Answer, ${name}`, max: 0, onSelect });

  const hasBeta = () => methods[select.value]!.includes("beta");
  const showKnobs = () => {
    betaRow.hidden = !hasBeta();
    const own = methods[select.value]!.filter((knob) => knob !== "beta");
    more.hidden = own.length === 0;
    knobs.replaceChildren(...own.map((knob) => {
      const input = element("input", { id: id(knob), placeholder: "default", name: knob });
      input.addEventListener("change", onChange);
      return element("label", { htmlFor: input.id }, knob.replaceAll("_", " "), input);
    }));
  };
  const showBeta = () => {
    const beta = parsedBeta(exact.value);
    slider.setAttribute("aria-valuetext", betaText(beta));
  };
  const knobInputs = () => [...knobs.querySelectorAll("input")];
  showKnobs();
  showBeta();
  select.addEventListener("change", () => (showKnobs(), onChange()));
  slider.addEventListener("input", () => {
    exact.value = betaText(betaOf(Number(slider.value)));
    showBeta();
    onChange();
  });
  exact.addEventListener("change", () => {
    const beta = parsedBeta(exact.value);
    if (beta >= 0) slider.value = `${placeOf(beta)}`;
    showBeta();
    onChange();
  });

  const fields = (): Fields => ({
    moi_method: select.value,
    ...(hasBeta() ? { moi_beta: valueOf(exact.value.replace("∞", "Infinity")) } : {}),
    ...Object.fromEntries(
      knobInputs().filter((input) => input.value.trim() !== "")
        .map((input) => [`moi_${input.name}`, valueOf(input.value)]),
    ),
  });

  let controller = new AbortController();
  /** Methods of the text that stands there, by the token from which on each made what was fed. */
  let history: readonly { readonly from: number; readonly fields: Fields }[] = [];
  const side: Side = {
    element: element(
      "article",
      { className: "side" },
      element(
        "div",
        { className: "row" },
        element("label", { htmlFor: select.id }, `${name} method`, select),
      ),
      betaRow,
      more,
      list.element,
      status,
      error,
    ),
    list,
    fields,
    set(given) {
      const { moi_method: method, moi_beta: beta, ...rest } = given;
      if (typeof method === "string" && Object.hasOwn(methods, method)) select.value = method;
      showKnobs();
      if (beta !== undefined) {
        exact.value = `${beta}`.replace("Infinity", "∞");
        if (Number(beta) >= 0) slider.value = `${placeOf(Number(beta))}`;
      }
      for (const input of knobInputs()) input.value = `${rest[`moi_${input.name}`] ?? ""}`;
      showBeta();
    },
    selected: undefined,
    stop: () => controller.abort(),
    methodAt: (index) => methodText(history.findLast(({ from }) => from <= index)!.fields),
    async run(start = 0) {
      controller.abort();
      const own = controller = new AbortController();
      const next = [...history.filter(({ from }) => from < start), {
        from: start,
        fields: fields(),
      }];
      list.cut(start === 0 ? 0 : start + 1);
      if (start === 0) {
        side.selected = undefined;
        list.select(undefined);
      }
      onToken(start);
      error.textContent = "";
      status.textContent = "decoding …";
      const earlier = next.slice(1).map(({ from: until }, i) => ({
        ...{ until, vllm_xargs: next[i]!.fields },
      }));
      const request = { ...asked(), earlier, vllm_xargs: next.at(-1)!.fields };
      let count = 0;
      try {
        const ended = await streamed<Token, Ended>("decode", request, own.signal, (token) => {
          const index = count++;
          if (index < start) return; // it stands there
          if (index === start) history = next;
          const { scrollHeight, scrollTop, clientHeight } = list.element;
          list.put(index, token);
          onToken(index);
          // who has not scrolled back sees what comes
          if (scrollHeight - scrollTop - clientHeight < 40) list.element.scrollTop = scrollHeight;
        });
        status.textContent = endText(ended);
      } catch (reason) {
        if (controller !== own) return; // another run has begun
        status.textContent = own.signal.aborted ? `stopped after ${list.tokens.length} tokens` : "";
        if (!own.signal.aborted) error.textContent = (reason as Error).message;
      }
    },
  };
  return side;
}
