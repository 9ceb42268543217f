/** Version of the wire contract. It rises when an old client could misunderstand the server or the reverse. */
export const PROTOCOL_VERSION = 1;

/** Versions this server still speaks. A handshake that names any other is refused with `PROTOCOL_UNSUPPORTED`. */
export const SUPPORTED_PROTOCOL_VERSIONS: readonly number[] = [PROTOCOL_VERSION];
