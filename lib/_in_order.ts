/**
 * Work that must not overlap.
 *
 * @module
 */

/** Makes a function that begins each work once the one before has ended, whatever became of that. */
export function inOrder(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const made = last.then(work);
    last = made.catch(() => {});
    return made;
  };
}
