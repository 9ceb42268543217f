import { relayContract } from './relay.suite.ts';
import { twilioUnderTest } from './relay.twilio.fixture.ts';

relayContract('Twilio', () => twilioUnderTest());
