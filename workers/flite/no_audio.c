/* Stands in for flite's ALSA output, which a worker never uses, so that no sound library is
   linked. The names and shapes are those of cst_audio.h. */
#include <flite/cst_audio.h>
#include <stddef.h>

cst_audiodev *audio_open_alsa(int sps, int channels, cst_audiofmt fmt) {
    (void)sps;
    (void)channels;
    (void)fmt;
    return NULL;
}

int audio_close_alsa(cst_audiodev *ad) {
    (void)ad;
    return -1;
}

int audio_write_alsa(cst_audiodev *ad, void *samples, int num_bytes) {
    (void)ad;
    (void)samples;
    (void)num_bytes;
    return -1;
}

int audio_flush_alsa(cst_audiodev *ad) {
    (void)ad;
    return -1;
}

int audio_drain_alsa(cst_audiodev *ad) {
    (void)ad;
    return -1;
}
