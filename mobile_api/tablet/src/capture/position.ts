import type { Place } from '../core/wire'

const PATIENCE_MS = 10_000
/** So long a person has to answer whether the browser may look; some browsers never say that nobody did. */
const ASKING_MS = 5_000

/** Where the tablet is, if it can tell within ten seconds; a missing position never holds up a visit. */
export function position(): Promise<Place | null> {
  if (!('geolocation' in navigator)) return Promise.resolve(null)
  return new Promise((resolve) => {
    setTimeout(() => resolve(null), ASKING_MS + PATIENCE_MS)
    navigator.geolocation.getCurrentPosition(
      ({ coords }) =>
        resolve({
          lat: round(coords.latitude, 6),
          lon: round(coords.longitude, 6),
          accuracy_m: round(coords.accuracy, 1),
        }),
      () => resolve(null),
      { enableHighAccuracy: true, timeout: PATIENCE_MS, maximumAge: 60_000 },
    )
  })
}

function round(value: number, places: number): number {
  return Number(value.toFixed(places))
}
