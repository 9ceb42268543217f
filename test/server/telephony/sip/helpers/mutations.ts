const JUNK = [
  '\r\n',
  '\0',
  '%00',
  ';;;',
  '<<<<',
  '"',
  '\\',
  'sip:',
  ',',
  ':',
  'ÿ',
  'A'.repeat(5000),
  '-1',
  '99999999999999',
  '__proto__',
  '=',
  '>',
  'SIP/2.0',
  'tag=',
  '\r\n\r\n',
  'Content-Length: -5\r\n',
  '('.repeat(500),
  ' '.repeat(800),
  'Via: x\r\n',
  'Require: 100rel\r\n',
  '\r\n ',
  'Record-Route: <sip:192.0.2.1;lr>\r\n',
  'Session-Expires: 1\r\nSupported: timer\r\n',
];
const METHODS = [
  'INVITE',
  'OPTIONS',
  'BYE',
  'CANCEL',
  'ACK',
  'INFO',
  'UPDATE',
  'REGISTER',
  'PRACK',
  'INVITE',
  'INVITE',
];
const BODY =
  'v=0\r\no=- 1 1 IN IP4 127.0.61.9\r\ns=-\r\nc=IN IP4 127.0.61.9\r\nt=0 0\r\nm=audio 9000 RTP/AVP 8\r\n';

/** The n-th message of a phone that has gone mad: requests and answers, cut, stuffed and flipped. */
export function mutated(n: number, random: () => number, from: { address: string; port: number }): Buffer {
  const below = (limit: number): number => Math.floor(random() * limit);
  const method = METHODS[below(METHODS.length)] ?? 'INVITE';
  const start =
    below(12) === 0 ? `SIP/2.0 ${100 + below(600)} Odd` : `${method} sip:17000003333@127.0.61.1:5060 SIP/2.0`;
  // Now and then the same again: repetitions have to be recognised among the wreckage.
  const id = below(4) === 0 ? n - below(20) : n;
  let text = `${start}\r\nVia: SIP/2.0/UDP ${from.address}:${from.port};branch=z9hG4bKf${id}${below(3) === 0 ? ';rport' : ''}\r\nFrom: <sip:13700009999@${from.address}>;tag=f${id}\r\nTo: <sip:17000003333@127.0.61.1>${below(5) === 0 ? ';tag=x' : ''}\r\nCall-ID: f${id}\r\nCSeq: 1 ${method}\r\nContact: <sip:x@${from.address}:${from.port}>\r\nMax-Forwards: 70\r\nContent-Type: application/sdp\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`;
  for (let times = below(4); times > 0; times--) {
    const at = below(text.length);
    const junk = JUNK[below(JUNK.length)] ?? '';
    const kind = below(3);
    if (kind === 0) text = text.slice(0, at) + junk + text.slice(at);
    else if (kind === 1) text = text.slice(0, at) + text.slice(at + below(40));
    else text = text.slice(0, at) + String.fromCharCode(below(256)) + text.slice(at + 1);
  }
  return Buffer.from(text, 'latin1').subarray(0, 60_000);
}
