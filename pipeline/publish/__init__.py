"""VOD services: finished files become media of Tencent VOD and Volcengine VOD, which tell an id for each."""
