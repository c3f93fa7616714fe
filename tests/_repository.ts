/** The repository as others see it: its folder, and a server that gives it as a registry does. */

/** Folder of the repository. */
export const root: URL = new URL("../", import.meta.url);

/** Serves the repository, remembering what is asked for. */
export function servedRepository(): AsyncDisposable & {
  readonly address: string;
  readonly requested: readonly string[];
} {
  const requested: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    requested.push(pathname);
    const bytes = await Deno.readFile(new URL(`.${pathname}`, root)).catch(() => undefined);
    if (bytes === undefined) return new Response("not found", { status: 404 });
    const type = pathname.endsWith(".ts")
      ? "application/typescript"
      : pathname.endsWith(".json")
      ? "application/json"
      : "application/octet-stream";
    return new Response(bytes, { headers: { "content-type": type } });
  });
  const address = `http://127.0.0.1:${server.addr.port}`;
  return { address, requested, [Symbol.asyncDispose]: () => server.shutdown() };
}
