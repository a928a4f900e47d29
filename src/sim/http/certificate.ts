// @peculiar/x509 needs it loaded first.
// oxlint-disable-next-line import/no-unassigned-import
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

/** A server certificate, its key, and the CA that signed it; all PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const DAY_MS = 86_400_000;

/** Makes a CA, and a certificate of it for 127.0.0.1 and localhost, valid around `nowMs` for a day or as stated. */
export async function makeCertificate(options: {
  readonly nowMs: number;
  /** Default: a day before `nowMs`. */
  readonly notBeforeMs?: number;
  /** Default: a year after `nowMs`. */
  readonly notAfterMs?: number;
  /** Names and addresses. Default 127.0.0.1 and localhost. */
  readonly names?: readonly string[];
}): Promise<Certificate> {
  const notBefore = new Date(options.notBeforeMs ?? options.nowMs - DAY_MS);
  const notAfter = new Date(options.notAfterMs ?? options.nowMs + 365 * DAY_MS);
  const caKeys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const ca = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: "01",
      name: "CN=simulated cluster CA",
      notBefore,
      notAfter,
      signingAlgorithm: ALGORITHM,
      keys: caKeys,
      extensions: [
        new x509.BasicConstraintsExtension(true, 1, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      ],
    },
    webcrypto,
  );
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const names = options.names ?? ["127.0.0.1", "localhost"];
  const cert = await x509.X509CertificateGenerator.create(
    {
      serialNumber: "02",
      subject: "CN=simulated API server",
      issuer: ca.subject,
      notBefore,
      notAfter,
      signingAlgorithm: ALGORITHM,
      publicKey: keys.publicKey,
      signingKey: caKeys.privateKey,
      extensions: [
        new x509.SubjectAlternativeNameExtension(
          names.map((value) => ({ type: /^[\d.:]+$/.test(value) ? "ip" : "dns", value }) as const),
        ),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      ],
    },
    webcrypto,
  );
  const exported = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  return {
    cert: cert.toString("pem"),
    key: x509.PemConverter.encode(exported, "PRIVATE KEY"),
    ca: ca.toString("pem"),
  };
}
