/** Shared libraries of a few hundred bytes: they hold nothing and need others. */

/** An ELF file of 64 bits that the system's loader opens. */
export function sharedLibrary(
  name: string,
  needed: readonly string[] = [],
): Uint8Array<ArrayBuffer> {
  const texts = ["", name, ...needed].map((text) => new TextEncoder().encode(`${text}\0`));
  const starts = texts.map((_, index) =>
    texts.slice(0, index).reduce((sum, { length }) => sum + length, 0)
  );
  const HEADER = 64, SEGMENT = 56, SYMBOL = 24, ENTRY = 16;
  const [NEEDED, STRTAB, SYMTAB, STRSZ, SYMENT, SONAME] = [1, 5, 6, 10, 11, 14];
  const symbols = HEADER + 2 * SEGMENT, strings = symbols + SYMBOL;
  const size = texts.reduce((sum, { length }) => sum + length, 0);
  const dynamic = Math.ceil((strings + size) / ENTRY) * ENTRY;
  const entries = [
    [SONAME, starts[1]!],
    ...needed.map((_, index) => [NEEDED, starts[2 + index]!]),
    [STRTAB, strings],
    [STRSZ, size],
    [SYMTAB, symbols],
    [SYMENT, SYMBOL],
    [0, 0],
  ];
  const file = new Uint8Array(dynamic + entries.length * ENTRY), view = new DataView(file.buffer);
  const put = (at: number, value: number) => view.setBigUint64(at, BigInt(value), true);
  const X86 = 62, ARM = 183, machine = Deno.build.arch === "x86_64" ? X86 : ARM;
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 3, true); // a shared object
  view.setUint16(18, machine, true);
  view.setUint32(20, 1, true);
  put(32, HEADER);
  [HEADER, SEGMENT, 2].forEach((value, index) => view.setUint16(52 + 2 * index, value, true));
  const segment = (at: number, kind: number, offset: number, length: number, align: number) => {
    view.setUint32(at, kind, true);
    view.setUint32(at + 4, 6, true); // read and written
    [offset, offset, offset, length, length, align].forEach((value, index) =>
      put(at + 8 + 8 * index, value)
    );
  };
  segment(HEADER, 1, 0, file.length, 0x10000);
  segment(HEADER + SEGMENT, 2, dynamic, entries.length * ENTRY, 8);
  texts.forEach((text, index) => file.set(text, strings + starts[index]!));
  entries.forEach(([kind, value], index) => {
    put(dynamic + index * ENTRY, kind!);
    put(dynamic + index * ENTRY + 8, value!);
  });
  return file;
}
