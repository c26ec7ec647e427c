"""Makes each call with a client that openapi-python-client has made of the API's own description; prints what came back."""

import sys

from clock_client import AuthenticatedClient, models
from clock_client.api.default import (
    delete_streams_id,
    get_config,
    get_server,
    get_session,
    get_streams,
    get_streams_id,
    get_streams_id_config,
    get_streams_id_viewers,
    get_viewers,
    patch_streams_id_config,
    post_reload,
    post_streams,
    post_streams_id_keyframe,
)

origin, token = sys.argv[1:]
client = AuthenticatedClient(base_url=origin, token=token)


def made(module, expected, *arguments, **named):
    answer = module.sync_detailed(*arguments, client=client, **named)
    assert isinstance(answer.parsed, expected), (module.__name__, answer)
    return answer.parsed


server = made(get_server, models.ServerStatus)
assert server.streams == 2 and server.clock.source == "system", server
listed = made(get_streams, models.Listed, items_per_page=1)
assert listed.item_count == 2 and isinstance(listed.items[0], models.StreamStatus), listed
status = made(get_streams_id, models.StreamStatus, "cam1")
assert status.made_of.picture.width == 160 and isinstance(status.life, models.LifeType0), status
config = made(get_streams_id_config, models.StreamConfig, "cam1")
assert config.video_resolution == "160x120", config
changed = made(patch_streams_id_config, models.Changed, "cam1", body=models.StreamPatch(label="Door"))
assert changed.streams == ["cam1"] and changed.changes.changed, changed
assert made(get_streams_id, models.StreamStatus, "cam1").label == "Door"
added = made(post_streams, models.Changed, body=models.StreamConfig(rtsp_stream_path="/more{n}", count=2))
assert added.streams == ["more1", "more2"], added
mistaken = made(post_streams, models.Problem, body=models.StreamConfig(rtsp_stream_path="/more1", count=1))
assert mistaken.status == 422 and mistaken.mistakes[0].key == "rtspStreamPath", mistaken
assert post_streams_id_keyframe.sync_detailed("cam1", client=client).status_code == 202
assert made(get_viewers, list) == made(get_streams_id_viewers, list, "cam1") == []
assert made(get_session, models.SessionStatus).may_change
assert made(get_config, models.ConfigJson).video_resolution == "160x120"
made(delete_streams_id, models.Changed, "more1")
made(post_reload, models.Changed)
assert made(get_streams_id, models.StreamStatus, "cam1").label != "Door"
print("all calls answer as their types say")
