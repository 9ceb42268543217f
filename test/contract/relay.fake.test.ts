import { fakeUnderTest } from './relay.fake.fixture.ts';
import { relayContract } from './relay.suite.ts';

relayContract('fake that asks', () => fakeUnderTest('server'));
relayContract('fake that routes', () => fakeUnderTest('provider'));
