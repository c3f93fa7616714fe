/**
 * One of the two answers: its method, and its text as it comes.
 *
 * @module
 */

import { type TokenList, tokenList } from "../../plot/page/token_list.ts";
import type { Token } from "../../plot/page/tokens.ts";
import { type MethodForm, methodForm, type MethodFormOptions } from "./method_form.ts";
import { element, type Ended, endText, type Fields, methodText } from "./parts.ts";
import { streamed } from "./stream.ts";

/** What both sides are asked: all of a request but its method. */
export type Asked = Readonly<Record<string, unknown>>;

/** What a side is told by the page. */
export interface SideOptions extends MethodFormOptions {
  /** What the form says. */
  readonly asked: () => Asked;
  /** Called with every change of the tokens. */
  readonly onToken: (index: number) => void;
  readonly onSelect: (index: number) => void;
}

/** One answer. */
export interface Side extends Pick<MethodForm, "fields" | "set"> {
  readonly element: HTMLElement;
  readonly list: TokenList;
  /** Index of the chosen token. */
  selected: number | undefined;
  /** The method that made what was fed after a token, in words. */
  readonly methodAt: (index: number) => string;
  /** Decodes anew: all, or from a token on where only the method has changed. */
  readonly run: (from?: number) => Promise<void>;
  readonly stop: () => void;
}

/** Makes one of the two answers. */
export function openSide(options: SideOptions): Side {
  const { name, asked, onToken, onSelect } = options;
  const { elements, fields, set } = methodForm(options);
  const status = element("p", { className: "status" }, "Run begins both answers.");
  const error = element("p", { className: "error" });
  status.setAttribute("role", "status");
  error.setAttribute("role", "alert");
  const list = tokenList({ label: `Answer, ${name}`, max: 0, onSelect });

  let isFollowing = false;
  /** Before tokens come: who has not scrolled back sees them, at the next frame, as measuring is not cheap. */
  const follow = () => {
    if (isFollowing) return;
    isFollowing = true;
    const { scrollHeight, scrollTop, clientHeight } = list.element;
    const isAtEnd = scrollHeight - scrollTop - clientHeight < 40;
    requestAnimationFrame(() => {
      isFollowing = false;
      if (isAtEnd) list.element.scrollTop = list.element.scrollHeight;
    });
  };

  let controller = new AbortController();
  /** Methods of the text that stands there, by the token from which on each made what was fed. */
  let history: readonly { readonly from: number; readonly fields: Fields }[] = [];
  const side: Side = {
    element: element("article", { className: "side" }, ...elements, list.element, status, error),
    ...{ list, fields, set },
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
          if (own.signal.aborted || index < start) return; // nobody waits for it, or it stands there
          if (index === start) history = next;
          follow();
          list.put(index, token);
          onToken(index);
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
