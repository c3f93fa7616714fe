/** What a page carries in few bytes. @module */

/** The text that `packed` (`lib/plot/_packed.ts`) has made gzip in base64 of. */
export async function unpacked(base64: string): Promise<string> {
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return await new Response(stream).text();
}
