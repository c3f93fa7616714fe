/** Counter-based randomness: see `lib/_random.ts`. @module */

export { philox, STREAM, uniform } from "../_random.ts";
