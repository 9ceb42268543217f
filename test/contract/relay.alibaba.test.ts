import { alibabaUnderTest } from './relay.alibaba.fixture.ts';
import { relayContract } from './relay.suite.ts';

relayContract('Alibaba, X from our pool', () => alibabaUnderTest());
relayContract('Alibaba, X chosen there', () => alibabaUnderTest({ chooses: 'provider' }));
