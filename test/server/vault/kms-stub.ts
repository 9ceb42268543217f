import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const KMS_KEY = 'arn:aws:kms:cn-north-1:000000000000:key/11111111-2222-3333-4444-555555555555';
export const OTHER_KMS_KEY = 'arn:aws:kms:cn-north-1:000000000000:key/66666666-7777-8888-9999-000000000000';

interface Asked {
  readonly KeyId?: string;
  readonly NumberOfBytes?: number;
  readonly Plaintext?: string;
  readonly CiphertextBlob?: string;
  readonly EncryptionContext?: Readonly<Record<string, string>>;
}

/** What the next answers are instead of the right ones. */
type Trouble = 'throttle' | 'fail' | 'hang' | 'deny';

/** Speaks as much of the protocol of AWS KMS as the Encryption SDK asks for, over plain HTTP on this machine. */
export async function startKmsStub() {
  const keys = new Map([KMS_KEY, OTHER_KMS_KEY].map((id) => [id, randomBytes(32)]));
  const asked: string[] = [];
  const troubles: Trouble[] = [];
  let always: Trouble | null = null;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request
      .on('data', (chunk: Buffer) => chunks.push(chunk))
      .on('end', () => {
        const operation = String(request.headers['x-amz-target']).split('.')[1] ?? '';
        asked.push(operation);
        answer(response, operation, JSON.parse(Buffer.concat(chunks).toString()) as Asked);
      });
  });

  function answer(response: ServerResponse, operation: string, what: Asked): void {
    const trouble = troubles.shift() ?? always;
    response.setHeader('content-type', 'application/x-amz-json-1.1');
    switch (trouble) {
      case 'hang':
        return;
      case 'throttle':
        return refuse(response, 400, 'ThrottlingException');
      case 'fail':
        return refuse(response, 500, 'KMSInternalException');
      case 'deny':
        return refuse(response, 400, 'AccessDeniedException');
      case null:
      case undefined:
        break;
    }
    try {
      response.end(JSON.stringify(perform(operation, what)));
    } catch {
      refuse(response, 400, 'InvalidCiphertextException');
    }
  }

  function perform(operation: string, { KeyId = '', EncryptionContext = {}, ...what }: Asked): object {
    const key = keys.get(KeyId);
    if (key === undefined) throw new Error('no such key');
    const context = Buffer.from(
      JSON.stringify(Object.entries(EncryptionContext).toSorted(([one], [other]) => (one < other ? -1 : 1))),
    );
    switch (operation) {
      case 'GenerateDataKey': {
        const plain = randomBytes(what.NumberOfBytes ?? 32);
        return {
          KeyId,
          Plaintext: plain.toString('base64'),
          CiphertextBlob: wrap(key, plain, context).toString('base64'),
        };
      }
      case 'Decrypt': {
        const plain = unwrap(key, Buffer.from(what.CiphertextBlob ?? '', 'base64'), context);
        return { KeyId, Plaintext: plain.toString('base64') };
      }
      default:
        throw new Error('not asked for');
    }
  }

  const listen = (port: number) =>
    new Promise<void>((resolve) => server.listen(port, '127.0.0.1', () => resolve()));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return {
    endpoint: `http://127.0.0.1:${port}`,
    asked,
    /** The next questions meet these, one each. */
    next: (...some: Trouble[]) => void troubles.push(...some),
    /** All questions meet this, until null. */
    always: (trouble: Trouble | null) => {
      always = trouble;
    },
    goAway: close,
    comeBack: () => listen(port),
    [Symbol.asyncDispose]: async () => {
      if (server.listening) await close();
    },
  };
}

function refuse(response: ServerResponse, status: number, type: string): void {
  response.statusCode = status;
  response.end(JSON.stringify({ __type: type, message: 'refused by the stub' }));
}

function wrap(key: Buffer, plain: Buffer, context: Buffer): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(context);
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

function unwrap(key: Buffer, sealed: Buffer, context: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12), { authTagLength: 16 });
  decipher.setAAD(context);
  decipher.setAuthTag(sealed.subarray(-16));
  return Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]);
}
