/** Pages in a headless Chromium. */

import { temporaryFolder } from "./_temporary.ts";

/** Path of a Chromium, if there is one. */
export function findChromium(): string | undefined {
  const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
  const folders = (Deno.env.get("PATH") ?? "").split(Deno.build.os === "windows" ? ";" : ":");
  return [
    Deno.env.get("CHROME_PATH") ?? [],
    "/usr/bin/chromium",
    folders.flatMap((folder) => names.map((name) => `${folder}/${name}`)),
  ].flat().find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });
}

/** The DOM of a page after its scripts have run, and what the browser logged. */
export async function load(chromium: string, page: string): Promise<{ dom: string; log: string }> {
  await using folder = await temporaryFolder({ "page.html": page });
  const { stdout, stderr } = await new Deno.Command(chromium, {
    args: [
      ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
      ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
      ...["--enable-logging=stderr", `--user-data-dir=${folder.path}/profile`],
      ...["--virtual-time-budget=10000", "--dump-dom", `file://${folder.path}/page.html`],
    ],
  }).output();
  const decoder = new TextDecoder();
  return { dom: decoder.decode(stdout), log: decoder.decode(stderr) };
}
