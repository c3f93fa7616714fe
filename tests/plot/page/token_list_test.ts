import { assert, assertEquals } from "@std/assert";
import { JSDOM } from "jsdom";
import { tokenList } from "../../../lib/plot/page/token_list.ts";

const token = (text: string) => ({ text, name: JSON.stringify(text), entropy: 0.5 });

Deno.test("tokens that differ are marked, and a text that grows is not painted anew", () => {
  const { window } = new JSDOM("");
  const before = Object.getOwnPropertyDescriptor(globalThis, "document");
  Object.defineProperty(globalThis, "document", { value: window.document, configurable: true });
  try {
    const list = tokenList({ label: "Answer", max: 1, onSelect() {} });
    const marked = () =>
      [...list.element.children].flatMap((span, i) =>
        span.classList.contains("differs") ? [i] : []
      );
    const observer = new window.MutationObserver(() => {});
    observer.observe(list.element, { attributes: true, subtree: true });
    for (let i = 0; i < 100; i++) {
      list.put(i, token(`${i}`));
      list.differFrom(3);
    }
    assertEquals(marked(), Array.from({ length: 97 }, (_, i) => i + 3));
    const changes = observer.takeRecords().length;
    assert(changes < 1000, `${changes} changes of 100 tokens`);
    for (const from of [98, 97, undefined, 99]) {
      list.differFrom(from);
      const told = from === undefined ? [] : Array.from({ length: 100 - from }, (_, i) => from + i);
      assertEquals(marked(), told, `from ${from}`);
    }
  } finally {
    delete (globalThis as { document?: unknown }).document;
    if (before) Object.defineProperty(globalThis, "document", before);
  }
});
