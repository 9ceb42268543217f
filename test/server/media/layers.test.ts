import { preferredLayers, spatialLayersOf } from '@teleconsult/media/mediasoup/layers';
import { expect, test } from 'vitest';

const sent = (scalabilityMode?: string) => ({ encodings: [scalabilityMode ? { scalabilityMode } : {}] });

test('[SFU41] of the smallest size every second picture is asked for, where pictures can be left out', () => {
  expect(preferredLayers(sent('L3T3'), 0)).toEqual({ spatialLayer: 0, temporalLayer: 1 });
  expect(preferredLayers(sent('L3T2'), 0)).toEqual({ spatialLayer: 0, temporalLayer: 0 });
  for (const mode of ['L3T1', undefined]) expect(preferredLayers(sent(mode), 0)).toEqual({ spatialLayer: 0 });
});

test('[SFU41] of larger sizes every picture is asked for', () => {
  for (const spatialLayer of [1, 2])
    expect(preferredLayers(sent('L3T3'), spatialLayer)).toEqual({ spatialLayer });
});

test('[SFU41] a track says how many sizes it has', () => {
  expect([sent('L3T3'), sent('L1T3'), sent(), {}].map(spatialLayersOf)).toEqual([3, 1, 1, 1]);
});
