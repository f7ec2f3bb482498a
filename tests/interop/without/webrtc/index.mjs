// Stands where Helia's bundle imports WebRTC. The tests speak TCP only, and the real package would
// bring native code that an install script has to fetch or build.
function absent() {
  throw new Error('these tests are run without WebRTC')
}

export const webRTC = absent
export const webRTCDirect = absent
