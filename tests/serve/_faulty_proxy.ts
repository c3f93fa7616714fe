/** A proxy that does to requests and answers what networks and busy servers do, at random, from a seed. */

import { seeded } from "../_random.ts";

const encoder = new TextEncoder(), decoder = new TextDecoder();

/** What happens to requests: each of these to one of so many, in an order of chance. */
const FATES = [
  ...Array<"passed">(16).fill("passed"),
  ...["delayed", "repeated"],
  ...["refused", "dropped", "cut", "cut whole", "doubled", "429", "500", "503", "hung"],
] as const;
type Fate = typeof FATES[number];

/** The head and the body of a request, as they come. */
async function readRequest(connection: Deno.Conn) {
  const chunk = new Uint8Array(1 << 16);
  let bytes = new Uint8Array(0), end = -1, length = 0;
  while (end < 0 || bytes.length < end + length) {
    const read = await connection.read(chunk);
    if (read === null) return undefined;
    const more = new Uint8Array(bytes.length + read);
    more.set(bytes);
    more.set(chunk.subarray(0, read), bytes.length);
    bytes = more;
    const head = decoder.decode(bytes);
    end = head.indexOf("\r\n\r\n") + 4;
    if (end < 4) end = -1;
    length = Number(/content-length: *(\d+)/i.exec(head)?.[1] ?? 0);
  }
  const [method = "", path = ""] = decoder.decode(bytes.subarray(0, end)).split(" ");
  return { method, path, body: bytes.slice(end) };
}

function written(status: number, body: string, length = encoder.encode(body).length, more = "") {
  return encoder.encode(
    `HTTP/1.1 ${status} Whatever\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n` +
      `connection: close\r\n${more}\r\n${body}`,
  );
}

/** Starts one before a server; `fates` counts what it did to requests for texts. */
export function faultyProxy(upstream: string, seed: number) {
  const random = seeded(seed), fates = new Map<Fate, number>();
  let next: Fate[] = [];
  const fateOf = ({ method }: { readonly method: string }): Fate => {
    if (method !== "POST") return "passed";
    if (next.length === 0) next = random.shuffled(FATES);
    const fate = next.pop()!;
    fates.set(fate, (fates.get(fate) ?? 0) + 1);
    return fate;
  };
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const pass = async (
    { method, path, body }: { method: string; path: string; body: Uint8Array<ArrayBuffer> },
  ) => {
    const headers = { "content-type": "application/json" };
    const response = await fetch(`${upstream}${path}`, {
      method,
      ...(method === "POST" ? { body, headers } : {}),
    });
    return { status: response.status, text: await response.text() };
  };
  const answer = async (connection: Deno.Conn) => {
    const request = await readRequest(connection);
    if (!request) return;
    const fate = fateOf(request);
    if (fate === "refused") return;
    if (fate === "429") {
      return void await connection.write(written(429, "busy", undefined, "retry-after: 0\r\n"));
    }
    if (fate === "500" || fate === "503") {
      return void await connection.write(
        written(Number(fate), `{"error": {"message": "${fate}"}}`),
      );
    }
    if (fate === "delayed") await new Promise((resolve) => setTimeout(resolve, 60 * random.next()));
    if (fate === "hung") return void await connection.read(new Uint8Array(1)).catch(() => {});
    if (fate === "repeated") await pass(request);
    const { status, text } = await pass(request), length = encoder.encode(text).length;
    if (fate === "dropped") return;
    const short = text.slice(0, random.below(text.length));
    if (fate === "cut") return void await connection.write(written(status, short, length));
    if (fate === "cut whole") return void await connection.write(written(status, short));
    await connection.write(written(status, fate === "doubled" ? text + text : text));
  };
  const open = new Set<Promise<void>>();
  const loop = (async () => {
    for await (const connection of listener) {
      const own = answer(connection).catch(() => {}).finally(() => {
        open.delete(own);
        try {
          connection.close();
        } catch {
          // the other side has closed it
        }
      });
      open.add(own);
    }
  })();
  return {
    url: `http://127.0.0.1:${(listener.addr as Deno.NetAddr).port}`,
    fates,
    async [Symbol.asyncDispose]() {
      listener.close();
      await loop.catch(() => {});
      await Promise.all(open);
    },
  };
}
