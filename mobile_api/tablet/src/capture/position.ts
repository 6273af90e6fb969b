import type { Place } from '../core/wire'

/** Where the tablet is, if it can tell within ten seconds; a missing position never holds up a visit. */
export function position(): Promise<Place | null> {
  if (!('geolocation' in navigator)) return Promise.resolve(null)
  return new Promise((resolve) => {
    navigator.geolocation.getCurrentPosition(
      ({ coords }) =>
        resolve({
          lat: round(coords.latitude, 6),
          lon: round(coords.longitude, 6),
          accuracy_m: round(coords.accuracy, 1),
        }),
      () => resolve(null),
      { enableHighAccuracy: true, timeout: 10_000, maximumAge: 60_000 },
    )
  })
}

function round(value: number, places: number): number {
  return Number(value.toFixed(places))
}
