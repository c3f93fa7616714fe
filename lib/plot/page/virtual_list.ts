/**
 * A list of which only the rows in sight are in the page: ten thousand are as fast as ten.
 *
 * @module
 */

/** Height of a row in pixels, as the style sheet has it. */
const HEIGHT = 28;

/** Options of {@linkcode virtualList}. */
export interface VirtualListOptions {
  readonly label: string;
  /** Fills the element of a row. */
  readonly fill: (element: HTMLElement, index: number) => void;
  /** Called when a row is chosen. */
  readonly onSelect: (index: number) => void;
}

/** Makes an empty list. */
export function virtualList({ label, fill, onSelect }: VirtualListOptions) {
  const element = document.createElement("div"), space = document.createElement("div");
  element.className = "rows";
  element.tabIndex = 0;
  element.setAttribute("aria-label", label);
  space.className = "space";
  element.append(space);
  let count = 0, selected = -1;

  const draw = () => {
    const first = Math.max(0, Math.floor(element.scrollTop / HEIGHT) - 2);
    const last = Math.min(
      count,
      Math.ceil((element.scrollTop + element.clientHeight) / HEIGHT) + 2,
    );
    const rows = Array.from({ length: Math.max(0, last - first) }, (_, i) => {
      const index = first + i, row = document.createElement("div");
      row.className = "row";
      row.id = `row-${index}`;
      row.style.top = `${index * HEIGHT}px`;
      row.setAttribute("role", "option");
      row.setAttribute("aria-setsize", `${count}`);
      row.setAttribute("aria-posinset", `${index + 1}`);
      row.setAttribute("aria-selected", `${index === selected}`);
      row.dataset.index = `${index}`;
      fill(row, index);
      return row;
    });
    space.replaceChildren(...rows);
    const isShown = selected >= first && selected < last;
    if (isShown) element.setAttribute("aria-activedescendant", `row-${selected}`);
    else element.removeAttribute("aria-activedescendant");
  };
  const show = (index: number) => {
    const top = index * HEIGHT, { scrollTop, clientHeight } = element;
    if (top < scrollTop) element.scrollTop = top;
    else if (top + HEIGHT > scrollTop + clientHeight) {
      element.scrollTop = top + HEIGHT - clientHeight;
    }
  };
  const select = (index: number) => {
    if (count === 0) return;
    selected = Math.max(0, Math.min(count - 1, index));
    show(selected);
    draw();
    onSelect(selected);
  };
  element.addEventListener("scroll", draw);
  element.addEventListener("click", ({ target }) => {
    const row = (target as HTMLElement).closest<HTMLElement>(".row");
    if (row) select(Number(row.dataset.index));
  });
  element.addEventListener("keydown", (event) => {
    const page = Math.max(1, Math.floor(element.clientHeight / HEIGHT) - 1);
    const steps: Record<string, number> = {
      ArrowDown: selected + 1,
      ArrowUp: selected - 1,
      PageDown: selected + page,
      PageUp: selected - page,
      Home: 0,
      End: count - 1,
    };
    const next = steps[event.key];
    if (next === undefined) return;
    event.preventDefault();
    select(next);
  });
  new ResizeObserver(draw).observe(element);
  return {
    element,
    /** Shows so many rows from the first on; none is chosen. */
    reset(rows: number) {
      [count, selected] = [rows, -1];
      element.setAttribute("role", count > 0 ? "listbox" : "group");
      space.style.height = `${count * HEIGHT}px`;
      element.scrollTop = 0;
      draw();
    },
    /** Chooses a row. */
    select,
  };
}
