/** A real JupyterLab for tests: a server of its own, with a kernel that is this very Deno. */

import type { Page } from "puppeteer-core";
import { kernelEnvironment } from "../../scripts/_notebook.ts";
import { freePort } from "../_port.ts";
import { temporaryFolder } from "../_temporary.ts";

/** A server that runs; disposing it ends its kernels, itself, and removes its files. */
export interface JupyterLab extends AsyncDisposable {
  /** Folder that it shows. */
  readonly path: string;
  /** Address of a notebook in it. */
  readonly urlOf: (name: string) => string;
}

const SETTINGS = {
  // no questions, no look for news
  "@jupyterlab/apputils-extension/notification.jupyterlab-settings": {
    ...{ fetchNews: "false", checkForUpdates: false, doNotDisturbMode: true },
  },
};

/** Starts the JupyterLab of the virtual environment that `MOI_JUPYTERLAB` names. */
export async function jupyterLab(
  files: Readonly<Record<string, string>>,
  theme = "JupyterLab Light",
): Promise<JupyterLab> {
  await using made = new AsyncDisposableStack();
  const folder = made.use(await temporaryFolder(files));
  const settings = {
    ...SETTINGS,
    "@jupyterlab/apputils-extension/themes.jupyterlab-settings": { theme },
  };
  const own = made.use(
    await temporaryFolder(
      Object.fromEntries(
        Object.entries(settings).map(([name, value]) => [
          `settings/${name}`,
          JSON.stringify(value),
        ]),
      ),
    ),
  );
  const { env, dir } = await kernelEnvironment();
  made.defer(() => Deno.remove(dir, { recursive: true }));
  const port = freePort(), token = crypto.randomUUID();
  const child = new Deno.Command(`${Deno.env.get("MOI_JUPYTERLAB")}/bin/jupyter`, {
    args: [
      ...["lab", "--no-browser", "--ip=127.0.0.1", `--port=${port}`, "--allow-root"],
      ...[`--IdentityProvider.token=${token}`, "--LabApp.extension_manager=readonly"],
      ...["--ServerApp.port_retries=0", `--ServerApp.root_dir=${folder.path}`],
    ],
    env: {
      ...env,
      JUPYTER_CONFIG_DIR: `${own.path}/config`,
      JUPYTER_DATA_DIR: `${own.path}/data`,
      JUPYTER_RUNTIME_DIR: `${own.path}/runtime`,
      JUPYTERLAB_SETTINGS_DIR: `${own.path}/settings`,
      JUPYTERLAB_WORKSPACES_DIR: `${own.path}/workspaces`,
      IPYTHONDIR: `${own.path}/ipython`,
    },
    ...{ stdin: "null", stdout: "null", stderr: "null" },
  }).spawn();
  made.defer(async () => {
    child.kill("SIGTERM"); // it shuts its kernels down
    await child.status;
  });
  const base = `http://127.0.0.1:${port}`;
  await answering(`${base}/api/status?token=${token}`);
  const all = made.move();
  return {
    path: folder.path,
    urlOf: (name) => `${base}/lab/tree/${name}?token=${token}&reset`,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

async function answering(url: string): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    const answer = await fetch(url).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("JupyterLab did not answer within 30 s");
}

/** A notebook of these cells. */
export function notebookOf(cells: readonly string[]): string {
  return JSON.stringify({
    ...{ nbformat: 4, nbformat_minor: 5 },
    metadata: {
      kernelspec: { name: "deno", display_name: "Deno", language: "typescript" },
      language_info: { name: "typescript" },
    },
    cells: cells.map((source, i) => ({
      ...{ cell_type: "code", id: `cell-${i}`, metadata: {}, execution_count: null },
      ...{ outputs: [], source },
    })),
  });
}

/** Opens a notebook, and waits until its kernel is ready. */
export async function open(page: Page, lab: JupyterLab, name: string): Promise<void> {
  await page.goto(lab.urlOf(name));
  await page.waitForSelector(".jp-NotebookPanel .jp-Cell");
  // JupyterLab runs no cells before it knows the kernel, and does not say so
  await page.locator("#jp-main-statusbar ::-p-text(Deno | Idle)").wait();
}

/** Waits until the kernel has nothing to do. */
export async function idle(page: Page, timeout = 60_000): Promise<void> {
  await page.waitForFunction(
    () =>
      document.querySelector(".jp-Notebook-ExecutionIndicator[data-status=idle]") !== null &&
      ![...document.querySelectorAll(".jp-InputPrompt")]
        .some(({ textContent }) => textContent!.includes("*")),
    { timeout, polling: 50 },
  );
}

/** Chooses an entry of a menu. */
export async function choose(page: Page, menu: string, command: string): Promise<void> {
  await page.locator(`.lm-MenuBar-item ::-p-text(${menu})`).click();
  await page.locator(`.lm-Menu-item[data-command="${command}"]`).click();
}

/** Presses a button above the notebook. */
export async function press(page: Page, command: string): Promise<void> {
  await page.locator(`.jp-NotebookPanel-toolbar [data-command="${command}"]`).click();
}

/** Runs one cell, as a person does. */
export async function runCell(page: Page, cell: number): Promise<void> {
  const cells = await page.$$(".jp-Cell");
  await (await cells[cell]!.$(".jp-InputPrompt"))!.click();
  await page.keyboard.down("Control");
  await page.keyboard.press("Enter");
  await page.keyboard.up("Control");
}

/** The texts below each cell. */
export function outputs(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll(".jp-Cell")].map((cell) =>
      cell.querySelector(".jp-Cell-outputArea")?.textContent ?? ""
    )
  );
}

/** Saves the notebook; resolves to the file. */
export async function saved(page: Page, lab: JupyterLab, name: string): Promise<string> {
  await choose(page, "File", "docmanager:save");
  await page.waitForFunction(() => document.querySelector(".jp-mod-dirty") === null);
  return await Deno.readTextFile(`${lab.path}/${name}`);
}
