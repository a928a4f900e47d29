import { afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { createHash } from "node:crypto";
import { fetchCa } from "../../../src/kube/ca-url.ts";
import { createPki, type Pki } from "../../support/control-plane/pki.ts";
import { NastyServer } from "../../support/nasty-server.ts";

let pki: Pki;
let plain: NastyServer;
let secure: NastyServer;
let http: string;
let https: string;
let pin: string;

beforeAll(async () => {
  pki = await createPki("ca");
  pin = `#sha256=${createHash("sha256").update(pki.caCert).digest("hex")}`;
}, 60_000);

beforeEach(async () => {
  plain = new NastyServer();
  secure = new NastyServer(pki.server);
  http = await plain.listen();
  https = await secure.listen();
  plain.answer = (_request, response) => void response.end(pki.caCert);
  secure.answer = plain.answer;
});

afterEach(async () => {
  await Promise.all([plain.close(), secure.close()]);
});

test("what the fragment pins is trusted over any transport", async () => {
  expect(await fetchCa(`${http}/ca.crt${pin}`)).toBe(pki.caCert);
  expect(await fetchCa(`${https}/ca.crt${pin.toUpperCase().replace("SHA", "sha")}`)).toBe(
    pki.caCert,
  );
});

test("plain http without a pin is refused before anything is asked", async () => {
  await expect(fetchCa(http)).rejects.toMatchObject({ name: "Fault", code: "certificate" });
  await expect(fetchCa("ca.crt")).rejects.toMatchObject({ code: "certificate" });
  await expect(fetchCa(`${http}/#md5=1`)).rejects.toMatchObject({ code: "certificate" });
  expect(plain.requests).toHaveLength(0);
});

test("https that the system does not trust is refused", async () => {
  await expect(fetchCa(https)).rejects.toMatchObject({ code: "certificate" });
  expect(secure.requests).toHaveLength(0);
});

test("another file than the one pinned is refused, with its hash", async () => {
  plain.answer = (_request, response) => void response.end("-----BEGIN CERTIFICATE-----");
  await expect(fetchCa(`${http}/${pin}`)).rejects.toThrow(/its SHA-256 is [0-9a-f]{64}$/);
});

test("another status, and an answer that does not come, are refused", async () => {
  plain.answer = (_request, response) => void response.writeHead(404).end();
  await expect(fetchCa(`${http}/${pin}`)).rejects.toThrow("the server answered 404");
  plain.answer = (_request, response) => {
    response.writeHead(200).flushHeaders();
  };
  await expect(fetchCa(`${http}/${pin}`, 100)).rejects.toMatchObject({ code: "certificate" });
});
