/** Requests that a server must refuse. */

const encoder = new TextEncoder();

/** What is wrong, in turn: bodies of completions, as text or bytes. */
const BODIES: readonly ((vocabularySize: number) => string | Uint8Array<ArrayBuffer>)[] = [
  () => "",
  () => "{",
  () => "[]",
  () => Uint8Array.of(0x7b, 0xff, 0xfe, 0x7d),
  () => "[".repeat(50_000),
  () => JSON.stringify({}),
  () => JSON.stringify({ prompt: [] }),
  () => JSON.stringify({ prompt: [1, "a"] }),
  () => JSON.stringify({ prompt: { id: 1 } }),
  (vocabularySize) => JSON.stringify({ prompt: [vocabularySize] }),
  () => JSON.stringify({ prompt: [-1] }),
  () => JSON.stringify({ prompt: Array(5_000).fill(9) }),
  () => JSON.stringify({ prompt: "1".repeat(100_000) }),
  () => JSON.stringify({ prompt: [9], model: "another" }),
  () => JSON.stringify({ prompt: [9], max_tokens: 1e9 }),
  () => JSON.stringify({ prompt: [9], max_tokens: 0 }),
  () => JSON.stringify({ prompt: [9], n: 1e9 }),
  () => JSON.stringify({ prompt: [9], temperature: "hot" }),
  () => JSON.stringify({ prompt: [9], top_p: 7 }),
  () => JSON.stringify({ prompt: [9], seed: 0.5 }),
  () => JSON.stringify({ prompt: [9], stop: [""] }),
  () => JSON.stringify({ prompt: [9], stream: "yes" }),
  () => JSON.stringify({ prompt: [9], logprobs: 1e3 }),
  () => JSON.stringify({ prompt: [9], echo: true }),
  () => JSON.stringify({ prompt: [9], moi_beta: 1 }),
  () => JSON.stringify({ prompt: [9], vllm_xargs: [] }),
  () => JSON.stringify({ prompt: [9], vllm_xargs: { moi_beta: -1 } }),
  () => JSON.stringify({ prompt: [9], vllm_xargs: { moi_beta: { a: 1 } } }),
  () => JSON.stringify({ prompt: [9], vllm_xargs: { moi_method: "__proto__" } }),
  () => JSON.stringify({ prompt: [9], vllm_xargs: { beta: 1 } }),
  () => JSON.stringify({ messages: [{ role: "user", content: "a" }] }),
];

/** What is wrong with a request as a whole, in turn. */
const REQUESTS: readonly ((url: string) => Promise<Response>)[] = [
  (url) => fetch(`${url}/v1/completions`),
  (url) => fetch(`${url}/v1/nothing`),
  (url) => fetch(`${url}/v1/models`, { method: "DELETE" }),
  (url) => fetch(`${url}/v1/completions`, { method: "POST", body: '{"prompt": [9]}' }),
];

/** The status of what is no HTTP. */
async function garbage(url: string): Promise<number> {
  const { hostname, port } = new URL(url);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  await connection.write(encoder.encode("NOTHING like / HTTP\r\n\u0000\r\n\r\n"));
  const answer = await new Response(connection.readable).text();
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1]);
}

/** Sends so many requests, eight at a time, and gives the statuses of the answers. */
export async function sendMalformed(url: string, count: number, vocabularySize: number) {
  const headers = { "content-type": "application/json" }, statuses: number[] = [];
  const kinds = BODIES.length + REQUESTS.length + 1;
  const send = async (i: number) => {
    const kind = i % kinds, whole = REQUESTS[kind - BODIES.length];
    if (kind === kinds - 1) return await garbage(url);
    const response = whole ? await whole(url) : await fetch(`${url}/v1/completions`, {
      ...{ method: "POST", headers, body: BODIES[kind]!(vocabularySize) },
    });
    await response.body?.cancel();
    return response.status;
  };
  let next = 0;
  await Promise.all(Array.from({ length: 8 }, async () => {
    while (next < count) statuses.push(await send(next++));
  }));
  return statuses;
}
