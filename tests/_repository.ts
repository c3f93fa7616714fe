/** The repository as others see it: its folder, and a server that gives what is published of it. */

import manifest from "../deno.json" with { type: "json" };

/** Folder of the repository. */
export const root: URL = new URL("../", import.meta.url);

/** Whether a path is part of the package. */
const isPublished = (path: string) =>
  manifest.publish.include.some((name) => path === `/${name}` || path.startsWith(`/${name}/`));

/** Serves the package as a registry does, remembering what is asked for. */
export function servedRepository(): AsyncDisposable & {
  readonly address: string;
  readonly requested: readonly string[];
} {
  const requested: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    requested.push(pathname);
    const bytes = isPublished(pathname)
      ? await Deno.readFile(new URL(`.${pathname}`, root)).catch(() => undefined)
      : undefined;
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
