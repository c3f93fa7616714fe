/**
 * The playground's page: one form, two answers, and what was fed back after a token.
 *
 * @module
 */

import { showDetail } from "./detail.ts";
import { type Fields, valueOf } from "./parts.ts";
import { openSide, type Side } from "./side.ts";

/** What the server tells the page. */
interface About {
  readonly methods: Readonly<Record<string, readonly string[]>>;
  readonly sampler: Readonly<Record<string, number>>;
  readonly prompt: string;
  readonly as: string;
}

/** Milliseconds that a slider must rest. */
const REST = 150;

const byId = <E extends HTMLElement>(id: string) => document.getElementById(id) as E;

function main(): void {
  const about: About = JSON.parse(byId("about").textContent!);
  const prompt = byId<HTMLTextAreaElement>("prompt"), as = byId<HTMLSelectElement>("as");
  const form = byId<HTMLFormElement>("form"), stop = byId<HTMLButtonElement>("stop");
  const colours = byId<HTMLInputElement>("colours"), detail = byId("detail");
  const settings = [...form.querySelectorAll<HTMLInputElement>("input[data-field]")];

  const usual = (input: HTMLInputElement) => `${about.sampler[input.dataset.field!]}`;
  /** The request without its method, as the form stands; a setting that is left out gets its usual value. */
  const asked = (): Record<string, unknown> => {
    const text = prompt.value;
    const ids = text.split(/[\s,]+/).filter((part) => part !== "").map(valueOf);
    const own = as.value === "chat"
      ? { messages: [{ role: "user", content: text }] }
      : { prompt: as.value === "ids" ? ids : text };
    for (const input of settings) if (input.value.trim() === "") input.value = usual(input);
    const typed = settings.map((input) => [input.dataset.field!, valueOf(input.value)]);
    return { ...own, ...Object.fromEntries(typed) };
  };
  /** What stands in the form, to see whether it has changed since both sides answered it. */
  const formText = () => JSON.stringify(asked());
  let answered = "";

  let largest = 0;
  const repaint = () => {
    for (const { list } of sides) list.colour(colours.checked ? largest : 0);
    byId("largest").textContent = largest.toFixed(3);
  };
  /** Colours by the largest entropy of both; marks where the two texts part. */
  const onToken = (side: Side | undefined, index: number) => {
    const entropy = side?.list.tokens[index]?.entropy ?? 0;
    if (entropy > largest) {
      largest = entropy;
      repaint();
    }
    const [a, b] = sides.map(({ list }) => list.tokens);
    if (!a || !b || index > Math.min(a.length, b.length)) return;
    let same = 0;
    const isSame = (i: number) => a[i]!.text === b[i]!.text && a[i]!.end === b[i]!.end;
    while (same < a.length && same < b.length && isSame(same)) same++;
    const parts = same < Math.min(a.length, b.length) ? same : undefined;
    for (const { list } of sides) list.differFrom(parts);
  };
  const select = (side: Side, name: string, index: number) => {
    for (const one of sides) {
      one.selected = one === side ? index : undefined;
      one.list.select(one.selected);
    }
    showSelected(side, name);
  };

  const busy = (work: Promise<unknown>) => {
    running++;
    stop.disabled = false;
    work.finally(() => stop.disabled = --running === 0);
  };
  let running = 0;
  const sides: Side[] = [];
  const open = (name: string, method: string) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const side: Side = openSide({
      ...{ name, method, beta: 0.25, methods: about.methods, asked },
      onChange() {
        clearTimeout(timer);
        timer = setTimeout(() => {
          keep(); // browsers refuse an address that changes all the time
          if (side.list.tokens.length === 0) return; // nothing was asked yet
          if (formText() !== answered) return form.requestSubmit();
          busy(side.run(side.selected));
        }, REST);
      },
      onToken(index) {
        onToken(side, index);
        if (index === side.selected) showSelected(side, name);
      },
      onSelect: (index) => select(side, name, index),
    });
    sides.push(side);
    byId("sides").append(side.element);
  };
  const showSelected = (side: Side, name: string) => {
    const index = side.selected!, token = side.list.tokens[index]!;
    showDetail(detail, { side: name, index, token, method: side.methodAt(index) });
  };

  /** Keeps the settings in the address, so that it can be passed on. */
  const keep = () => {
    const fields = sides.map((side) => side.fields());
    const own = settings.map((input) => [input.dataset.field!, input.value]);
    const state = { prompt: prompt.value, as: as.value, settings: Object.fromEntries(own), fields };
    history.replaceState(null, "", `#${encodeURIComponent(JSON.stringify(state))}`);
  };
  /** Takes settings from the address, which anybody may have written: into fields, as text. */
  const restore = () => {
    const state = JSON.parse(decodeURIComponent(location.hash.slice(1)));
    prompt.value = `${state.prompt ?? prompt.value}`;
    if ([...as.options].some(({ value }) => value === state.as)) as.value = state.as;
    for (const input of settings) {
      input.value = `${state.settings?.[input.dataset.field!] ?? usual(input)}`;
    }
    sides.forEach((side, i) => side.set({ ...state.fields?.[i] } as Fields));
  };

  prompt.value = about.prompt;
  as.value = about.as;
  for (const input of settings) input.value = usual(input);
  open("left", "standard");
  open("right", "moi");
  const restored = () => {
    try {
      if (location.hash.length > 1) restore();
    } catch {
      history.replaceState(null, "", "#"); // none of ours
    }
  };
  restored();
  addEventListener("hashchange", restored);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    answered = formText();
    keep();
    largest = 0;
    detail.replaceChildren();
    for (const side of sides) busy(side.run());
  });
  prompt.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  const stopAll = () => sides.forEach((side) => side.stop());
  stop.addEventListener("click", stopAll);
  addEventListener("keydown", ({ key }) => key === "Escape" && stopAll());
  colours.addEventListener("change", repaint);
  document.documentElement.dataset.ready = "";
}

main();
