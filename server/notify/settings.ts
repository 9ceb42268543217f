/** Webhooks to the host application, signed as https://www.standardwebhooks.com describes. */
export interface WebhookSettings {
  readonly url: string;
  /** At least 32 characters. */
  readonly secret: string;
}

/** Web Push (RFC 8030) with VAPID (RFC 8292). */
export interface PushSettings {
  /** `mailto:` or `https:` address a push service may write to. */
  readonly contact: string;
  /** base64url, as `web-push` makes them. */
  readonly publicKey: string;
  readonly privateKey: string;
  /** Push services beside those of the browsers that subscriptions may name. */
  readonly extraOrigins: readonly string[];
}
