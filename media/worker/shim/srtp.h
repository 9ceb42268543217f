// Offers the part of the libsrtp 3 interface that the mediasoup worker uses, on top of libsrtp 2.
//
// The worker is written against libsrtp 3, which no distribution packages. The two versions differ in shape
// and not in cryptography: version 3 has opaque policies built by setters, and packet functions with separate
// input and output buffers; version 2 has an open policy struct and works in place. The functions below have
// the names of version 3 and other parameters than those of version 2, so they are plain C++ overloads.
#pragma once

#include <algorithm>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstring>

// Both versions call their policy type srtp_policy_t; the one of version 2 steps aside.
#define srtp_policy_t srtp2_policy_t
#include <srtp2/srtp.h>
#undef srtp_policy_t

// Two error codes exist in version 3 only. Macros, because a later 2.x may declare the names as enumerators;
// the values are those of version 3 and lie within what the enumeration of version 2 can represent.
#define srtp_err_status_buffer_small static_cast<srtp_err_status_t>(28)
#define srtp_err_status_cryptex_err static_cast<srtp_err_status_t>(29)

namespace teleconsult_srtp {

// SRTCP appends its index (4 bytes) besides what SRTP_MAX_TRAILER_LEN accounts for.
inline constexpr std::size_t MaxTrailerLength = SRTP_MAX_TRAILER_LEN + 4;

struct Policy {
  srtp2_policy_t value{};
  std::uint8_t key[SRTP_MAX_KEY_LEN]{};
};

// Copies a packet to where version 2 may work on it in place. The input stays as it was, which the worker
// relies on: it sends one decrypted packet to several consumers. `room` is what the call may append.
inline srtp_err_status_t Stage(
  const std::uint8_t* in, std::size_t inLength, std::uint8_t* out, std::size_t outCapacity, std::size_t room) {
  if (inLength > static_cast<std::size_t>(INT_MAX)) return srtp_err_status_bad_param;
  if (outCapacity < inLength || outCapacity - inLength < room) return srtp_err_status_buffer_small;
  if (in != out) std::memmove(out, in, inLength);
  return srtp_err_status_ok;
}

template <typename InPlaceCall>
srtp_err_status_t Transform(
  const std::uint8_t* in,
  std::size_t inLength,
  std::uint8_t* out,
  std::size_t* outLength,
  std::size_t room,
  InPlaceCall call) {
  if (const auto staged = Stage(in, inLength, out, *outLength, room); staged != srtp_err_status_ok) return staged;
  int length = static_cast<int>(inLength);
  const srtp_err_status_t result = call(out, &length);
  if (result == srtp_err_status_ok) *outLength = static_cast<std::size_t>(length);
  return result;
}

} // namespace teleconsult_srtp

using srtp_policy_t = teleconsult_srtp::Policy*;

inline srtp_err_status_t srtp_policy_create(srtp_policy_t* policy) {
  *policy = new teleconsult_srtp::Policy;
  return srtp_err_status_ok;
}

inline void srtp_policy_destroy(srtp_policy_t policy) {
  if (policy == nullptr) return;
  // Through a volatile pointer, so that the compiler keeps the wiping of key material it can see no reader of.
  volatile std::uint8_t* key = policy->key;
  for (std::size_t index = 0; index < sizeof(policy->key); ++index) key[index] = 0;
  delete policy;
}

inline srtp_err_status_t srtp_policy_set_ssrc(srtp_policy_t policy, srtp_ssrc_t ssrc) {
  policy->value.ssrc = ssrc;
  return srtp_err_status_ok;
}

inline srtp_err_status_t srtp_policy_set_profile(srtp_policy_t policy, srtp_profile_t profile) {
  const srtp_err_status_t rtp = srtp_crypto_policy_set_from_profile_for_rtp(&policy->value.rtp, profile);
  if (rtp != srtp_err_status_ok) return rtp;
  return srtp_crypto_policy_set_from_profile_for_rtcp(&policy->value.rtcp, profile);
}

// Version 2 takes one buffer: the master key followed by its salt. The worker uses one key and no MKI.
inline srtp_err_status_t srtp_policy_add_key(
  srtp_policy_t policy,
  const std::uint8_t* key,
  std::size_t keyLength,
  const std::uint8_t* salt,
  std::size_t saltLength,
  const std::uint8_t* mki,
  std::size_t mkiLength) {
  if (mki != nullptr || mkiLength != 0 || policy->value.key != nullptr) return srtp_err_status_bad_param;
  if (keyLength > sizeof(policy->key) || saltLength > sizeof(policy->key) - keyLength) {
    return srtp_err_status_bad_param;
  }
  std::copy_n(key, keyLength, policy->key);
  std::copy_n(salt, saltLength, policy->key + keyLength);
  policy->value.key = policy->key;
  return srtp_err_status_ok;
}

inline srtp_err_status_t srtp_policy_set_allow_repeat_tx(srtp_policy_t policy, bool allowed) {
  policy->value.allow_repeat_tx = allowed ? 1 : 0;
  return srtp_err_status_ok;
}

inline srtp_err_status_t srtp_policy_set_window_size(srtp_policy_t policy, std::size_t size) {
  policy->value.window_size = static_cast<unsigned long>(size);
  return srtp_err_status_ok;
}

inline srtp_err_status_t srtp_create(srtp_t* session, srtp_policy_t policy) {
  return srtp_create(session, &policy->value);
}

// Both versions take the SSRC in network byte order here.
inline srtp_err_status_t srtp_stream_remove(srtp_t session, std::uint32_t ssrc) {
  return srtp_remove_stream(session, ssrc);
}

inline srtp_err_status_t srtp_protect(
  srtp_t session,
  const std::uint8_t* rtp,
  std::size_t rtpLength,
  std::uint8_t* srtp,
  std::size_t* srtpLength,
  std::size_t /*mkiIndex*/) {
  return teleconsult_srtp::Transform(
    rtp, rtpLength, srtp, srtpLength, teleconsult_srtp::MaxTrailerLength, [session](void* packet, int* length) {
      return srtp_protect(session, packet, length);
    });
}

inline srtp_err_status_t srtp_protect_rtcp(
  srtp_t session,
  const std::uint8_t* rtcp,
  std::size_t rtcpLength,
  std::uint8_t* srtcp,
  std::size_t* srtcpLength,
  std::size_t /*mkiIndex*/) {
  return teleconsult_srtp::Transform(
    rtcp, rtcpLength, srtcp, srtcpLength, teleconsult_srtp::MaxTrailerLength, [session](void* packet, int* length) {
      return srtp_protect_rtcp(session, packet, length);
    });
}

inline srtp_err_status_t srtp_unprotect(
  srtp_t session, const std::uint8_t* srtp, std::size_t srtpLength, std::uint8_t* rtp, std::size_t* rtpLength) {
  return teleconsult_srtp::Transform(
    srtp, srtpLength, rtp, rtpLength, 0, [session](void* packet, int* length) {
      return srtp_unprotect(session, packet, length);
    });
}

inline srtp_err_status_t srtp_unprotect_rtcp(
  srtp_t session, const std::uint8_t* srtcp, std::size_t srtcpLength, std::uint8_t* rtcp, std::size_t* rtcpLength) {
  return teleconsult_srtp::Transform(
    srtcp, srtcpLength, rtcp, rtcpLength, 0, [session](void* packet, int* length) {
      return srtp_unprotect_rtcp(session, packet, length);
    });
}
