// @peculiar/x509 needs it loaded first.
// oxlint-disable-next-line import/no-unassigned-import
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { generateKeyPair, webcrypto } from "node:crypto";
import { promisify } from "node:util";

/** A certificate and its private key, both PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** What one control plane needs to be trusted and to know its admin. All PEM. */
export interface Pki {
  readonly caCert: string;
  /** For 127.0.0.1, ::1 and localhost. */
  readonly server: KeyPair;
  /** A member of system:masters. */
  readonly admin: KeyPair;
  /** RSA private key that signs ServiceAccount tokens. */
  readonly serviceAccountKey: string;
  /** RSA public key that verifies them. */
  readonly serviceAccountPublicKey: string;
}

const ecdsa = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const dayMs = 86_400_000;

/** Makes a certificate authority and everything it signs, valid from an hour ago for 30 days. */
export async function createPki(name: string): Promise<Pki> {
  const [ca, serverKeys, adminKeys, serviceAccount] = await Promise.all([
    ecdsaKeys(),
    ecdsaKeys(),
    ecdsaKeys(),
    promisify(generateKeyPair)("rsa", {
      modulusLength: 2048,
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
    }),
  ]);
  const now = Date.now();
  const validity = {
    notBefore: new Date(now - 3_600_000),
    notAfter: new Date(now + 30 * dayMs),
    signingAlgorithm: ecdsa,
  };
  const caName = `CN=wayleave-test-${name}`;
  const caCert = await x509.X509CertificateGenerator.createSelfSigned(
    {
      ...validity,
      serialNumber: "01",
      name: caName,
      keys: ca,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(
          x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
          true,
        ),
        await x509.SubjectKeyIdentifierExtension.create(ca.publicKey),
      ],
    },
    webcrypto,
  );
  const sign = async (
    serialNumber: string,
    subject: string,
    keys: CryptoKeyPair,
    usage: string,
    extensions: x509.Extension[],
  ): Promise<KeyPair> => {
    const cert = await x509.X509CertificateGenerator.create(
      {
        ...validity,
        serialNumber,
        subject,
        issuer: caName,
        publicKey: keys.publicKey,
        signingKey: ca.privateKey,
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
          new x509.ExtendedKeyUsageExtension([usage]),
          await x509.AuthorityKeyIdentifierExtension.create(ca.publicKey),
          ...extensions,
        ],
      },
      webcrypto,
    );
    return { cert: pem(cert), key: await privateKeyPem(keys) };
  };
  return {
    caCert: pem(caCert),
    server: await sign("02", "CN=kube-apiserver", serverKeys, x509.ExtendedKeyUsage.serverAuth, [
      new x509.SubjectAlternativeNameExtension([
        { type: "ip", value: "127.0.0.1" },
        { type: "ip", value: "::1" },
        { type: "dns", value: "localhost" },
      ]),
    ]),
    admin: await sign(
      "03",
      "O=system:masters, CN=admin",
      adminKeys,
      x509.ExtendedKeyUsage.clientAuth,
      [],
    ),
    serviceAccountKey: serviceAccount.privateKey,
    serviceAccountPublicKey: serviceAccount.publicKey,
  };
}

type CryptoKeyPair = webcrypto.CryptoKeyPair;

async function ecdsaKeys(): Promise<CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ecdsa, true, ["sign", "verify"]);
}

function pem(cert: x509.X509Certificate): string {
  return `${cert.toString("pem")}\n`;
}

async function privateKeyPem(keys: CryptoKeyPair): Promise<string> {
  const der = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  return `${x509.PemConverter.encode(der, "PRIVATE KEY")}\n`;
}
