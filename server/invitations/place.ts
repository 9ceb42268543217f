/** Degrees, WGS 84. */
export interface Position {
  readonly latitude: number;
  readonly longitude: number;
}

/** A place of about a kilometre: more precise is nobody’s business. */
const GRID_DEGREES = 0.01;
const EARTH_RADIUS_KM = 6371.0088;
/** The earth is no sphere: distances on one are short of the true ones by less than this share. */
const ELLIPSOID_SHARE = 0.006;
/** Rounding moves a place by at most half a grid step each way: √2 · 0.005° · 111.7 km/° is less than this. */
const ROUNDING_KM = 0.8;

const BOUNDS_KM = [2, 5, 10] as const;
export type BoundKm = (typeof BOUNDS_KM)[number];

/** The middle of the grid’s cell in which the position lies. */
export const roundedPlace = ({ latitude, longitude }: Position): Position => ({
  latitude: toGrid(latitude),
  longitude: toGrid(longitude),
});

/** Great-circle distance (haversine formula) in kilometres. */
export function distanceKm(one: Position, other: Position): number {
  const [latitude, otherLatitude] = [radians(one.latitude), radians(other.latitude)];
  const north = Math.sin((otherLatitude - latitude) / 2);
  const east = Math.sin(radians(other.longitude - one.longitude) / 2);
  const chord = north ** 2 + Math.cos(latitude) * Math.cos(otherLatitude) * east ** 2;
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(chord)));
}

/** The bound within which two people at rounded places certainly are; null when that cannot be said of 10 km. */
export function boundKm(roundedKm: number): BoundKm | null {
  const atMost = roundedKm * (1 + ELLIPSOID_SHARE) + 2 * ROUNDING_KM;
  return BOUNDS_KM.find((bound) => atMost <= bound) ?? null;
}

const toGrid = (degrees: number): number => Math.round(degrees / GRID_DEGREES) / Math.round(1 / GRID_DEGREES);

const radians = (degrees: number): number => (degrees * Math.PI) / 180;
