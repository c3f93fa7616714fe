/** Bytes in GiB, as refusals say them. @module */

/** Such as "1.5 GiB". */
export const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
