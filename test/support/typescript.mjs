/**
 * Lets plain Node run this repository's TypeScript, for programs that are not tests and not in dist:
 *
 *     node --import ./test/support/typescript.mjs FILE.ts
 *
 * Node 20 cannot strip types by itself. Imports name their `.ts` files, so only loading needs help.
 */
import { register } from "node:module";

process.setSourceMapsEnabled(true);
register("./typescript-hooks.mjs", import.meta.url);
