"""How a SOURCE or DEST reads, that it reads back, and what is refused in which words."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipeline.errors import CommandError
from pipeline.storage.address import Folder, StoreAddress, folder_prefix, is_store_name, parse_address
from pipeline.storage.profiles import REFUSED
from tests.vendors.laws import patient

EXPECTED = "expected a folder, s3://bucket/prefix, or NAME:prefix of a store in recpipe.toml"

names = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{1,62}", fullmatch=True).filter(is_store_name)
buckets = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{1,62}", fullmatch=True)
keys = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=100)
prefixes = keys.map(folder_prefix)


def nothing_exists(_: str) -> bool:
    return False


def everything_exists(_: str) -> bool:
    return True


def refusal(text: str) -> str:
    with pytest.raises(CommandError) as caught:
        parse_address(text, nothing_exists)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        pytest.param("s3://b1", StoreAddress("", "b1", ""), id="a bucket is all of it"),
        pytest.param("s3://b1/", StoreAddress("", "b1", ""), id="and so with a slash"),
        pytest.param("s3://b1/rec", StoreAddress("", "b1", "rec/"), id="a prefix is a folder"),
        pytest.param("s3://b1/rec/", StoreAddress("", "b1", "rec/"), id="a slash at its end adds nothing"),
        pytest.param("s3://b1/rec//", StoreAddress("", "b1", "rec//"), id="two slashes are another folder"),
        pytest.param("s3://b1//rec", StoreAddress("", "b1", "/rec/"), id="a key may begin with a slash"),
        pytest.param("s3://b1/a/./b/..", StoreAddress("", "b1", "a/./b/../"), id="dots are characters"),
        pytest.param("s3://b1/a%20b?c#d", StoreAddress("", "b1", "a%20b?c#d/"), id="nothing is decoded"),
        pytest.param("S3://b1/rec", StoreAddress("", "b1", "rec/"), id="a scheme has no case"),
        pytest.param(
            "s3://b1/a:b@c", StoreAddress("", "b1", "a:b@c/"), id="a key may hold what a bucket may not"
        ),
        pytest.param("rec:", StoreAddress("rec", "", ""), id="a name alone is its root"),
        pytest.param("rec:a/b", StoreAddress("rec", "", "a/b/"), id="a name and a prefix"),
        pytest.param("rec:/a", StoreAddress("rec", "", "/a/"), id="a slash behind the name is of the key"),
        pytest.param("cos:a", StoreAddress("cos", "", "a/"), id="a store may be called like a profile"),
        pytest.param("rec:课堂", StoreAddress("rec", "", "课堂/"), id="keys are Unicode"),
        pytest.param("rec:10:30", StoreAddress("rec", "", "10:30/"), id="the first colon ends the name"),
    ],
)
def test_an_address_of_a_store(text: str, address: StoreAddress) -> None:
    assert parse_address(text, nothing_exists) == address


@pytest.mark.parametrize(
    "text",
    ["rec", ".", "..", "a/b", "/", "/a:b", "./a:b", "./s3:/b", "../10:30", "a/10:30", "~", "C", "-", " "],
)
def test_a_path_is_a_folder_and_nobody_asks_whether_it_is_there(text: str) -> None:
    def nobody_asks(asked: str) -> bool:
        raise AssertionError(asked)

    assert parse_address(text, nobody_asks) == Folder(Path(text))


@pytest.mark.parametrize("text", ["rec:a", "10:30", "C:\\x", "a b:c", "s3:b"])
def test_an_existing_path_with_a_colon_is_a_folder(text: str) -> None:
    assert parse_address(text, everything_exists) == Folder(Path(text))


def test_the_folder_is_looked_for_on_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert parse_address("rec:a") == StoreAddress("rec", "", "a/")
    Path("rec:a").mkdir()
    assert parse_address("rec:a") == Folder(Path("rec:a"))


def test_what_is_a_url_is_never_a_folder() -> None:
    assert parse_address("s3://b1/rec", everything_exists) == StoreAddress("", "b1", "rec/")


def test_a_prefix_holds_its_folder_and_no_other_that_begins_like_it() -> None:
    address = parse_address("s3://b1/rec", nothing_exists)
    assert isinstance(address, StoreAddress)
    listed = [key for key in ("rec", "rec/a.ts", "recording2/a.ts") if key.startswith(address.prefix)]
    assert listed == ["rec/a.ts"]


@given(names, prefixes)
@patient
def test_an_address_of_a_named_store_reads_back(name: str, prefix: str) -> None:
    assume(not prefix.startswith("//"))
    address = StoreAddress(name, "", prefix)
    assert parse_address(str(address), nothing_exists) == address


@given(buckets, prefixes)
@patient
def test_an_address_of_a_bucket_reads_back(bucket: str, prefix: str) -> None:
    address = StoreAddress("", bucket, prefix)
    assert parse_address(str(address), nothing_exists) == address


@given(st.text(st.characters(exclude_characters="\0")) | st.from_regex(r"\A[a-z]{0,3}:[/.a]{0,4}\Z"))
@patient
def test_a_folder_reads_back_whatever_it_is_called(text: str) -> None:
    folder = Folder(Path(text))
    assert parse_address(str(folder), nothing_exists) == folder


@given(st.text() | st.from_regex(r"\A[a-zA-Z3]{0,5}:?/{0,2}[a-z:@/]{0,9}\Z"), st.booleans())
@patient
def test_any_text_is_an_address_that_reads_back_or_is_refused_in_one_line(text: str, there: bool) -> None:  # noqa: FBT001 - hypothesis hands it over by position
    try:
        address = parse_address(text, lambda _: there)
    except CommandError:
        return
    assert parse_address(str(address), lambda _: there) == address


SENTENCES = [
    pytest.param("", f"the address is empty or holds a NUL character: {EXPECTED}", id="nothing"),
    pytest.param("a\0b", f"the address is empty or holds a NUL character: {EXPECTED}", id="a NUL"),
    pytest.param(
        "C:\\recordings",
        f"C:\\recordings looks like a path of Windows, which recpipe does not run on: {EXPECTED}; write "
        "./C:\\recordings if it is a folder here",
        id="a drive with a backslash",
    ),
    pytest.param(
        "c:/recordings",
        f"c:/recordings looks like a path of Windows, which recpipe does not run on: {EXPECTED}; write "
        "./c:/recordings if it is a folder here",
        id="a drive with a slash",
    ),
    pytest.param(
        "10:30",
        f"10:30 names no store, and no such folder is here: {EXPECTED}, where NAME has 2 to 63 letters, "
        "digits, '_' and '-'; write ./10:30 if it is a folder",
        id="a name that is none",
    ),
    pytest.param(
        "s3:bucket",
        f"s3:bucket names no store, and no such folder is here: {EXPECTED}, where NAME has 2 to 63 letters, "
        "digits, '_' and '-'; write ./s3:bucket if it is a folder",
        id="a scheme without its slashes",
    ),
    pytest.param(
        "s3:///rec",
        "s3:///rec has no bucket that a store could have: expected s3://bucket/prefix, the bucket's name of "
        "letters, digits, '.', '-' and '_'",
        id="no bucket",
    ),
    pytest.param(
        "s3://a b/rec",
        "s3://a b/rec has no bucket that a store could have: expected s3://bucket/prefix, the bucket's name "
        "of letters, digits, '.', '-' and '_'",
        id="no bucket's name",
    ),
    pytest.param(
        "https://b.example.com/rec?X-Amz-Signature=hidden",
        f"https://b.example.com/rec is a web address: {EXPECTED}; put a store's endpoint into recpipe.toml "
        "and write NAME:prefix",
        id="a presigned address, without its signature",
    ),
    pytest.param(
        "http://b.example.com",
        f"http://b.example.com is a web address: {EXPECTED}; put a store's endpoint into recpipe.toml and "
        "write NAME:prefix",
        id="a web address",
    ),
    pytest.param(
        "file:///tmp/rec",
        "file:///tmp/rec is a folder written as a URL: write its path alone",
        id="a file URL",
    ),
    pytest.param(
        "ftp://b1/rec", f"ftp://… is no kind of address known here: {EXPECTED}", id="another scheme"
    ),
    pytest.param(
        "rec://b1", f"rec://… is no kind of address known here: {EXPECTED}", id="a name with slashes"
    ),
    pytest.param("az://c/rec", REFUSED["azure"], id="Azure"),
    pytest.param("abfss://c/rec", REFUSED["azure"], id="Azure's other name"),
    pytest.param("bos://b1/rec", REFUSED["baidu"], id="Baidu"),
    pytest.param(
        "s3://b1/\ud800",
        "the address is not valid UTF-8, which the keys of a store are",
        id="no text in a key",
    ),
    pytest.param(
        "rec:\ud800",
        "the address is not valid UTF-8, which the keys of a store are",
        id="no text behind a name",
    ),
    pytest.param(
        f"s3://b1/{'é' * 513}",
        "the address has 1026 bytes: expected at most 1024, because no key is longer",
        id="a key that is too long",
    ),
]


@pytest.mark.parametrize(("text", "sentence"), SENTENCES)
def test_a_refusal_says_what_is_expected(text: str, sentence: str) -> None:
    assert refusal(text) == sentence


@pytest.mark.parametrize(
    ("scheme", "profile"),
    [
        ("cos", "cos"),
        ("cosn", "cos"),
        ("tos", "tos"),
        ("oss", "oss"),
        ("obs", "obs"),
        ("kodo", "kodo"),
        ("qiniu", "kodo"),
        ("minio", "minio"),
        ("swift", "swift"),
        ("gs", "google"),
        ("gcs", "google"),
    ],
)
def test_the_scheme_of_another_tool_is_answered_with_its_profile(scheme: str, profile: str) -> None:
    assert refusal(f"{scheme}://b1/rec") == (
        f"{scheme}://b1/rec is not how a store is named here: add a store with profile = "
        f'"{profile}" to recpipe.toml and write NAME:prefix'
    )


@pytest.mark.parametrize("scheme", ["s3", "https", "http", "cos", "ftp", "file"])
@pytest.mark.parametrize("authority", ["AKID:hidden@bucket", "AKID:hidden", "hidden@bucket", "bucket:9000"])
def test_credentials_in_an_address_are_refused_and_not_repeated(scheme: str, authority: str) -> None:
    assert refusal(f"{scheme}://{authority}/rec") == (
        f"an address {scheme}://… holds credentials or a port: expected s3://bucket/prefix; put the endpoint "
        "of a store into recpipe.toml and its credentials into the environment"
    )


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("rec", True),
        ("Rec_2-b", True),
        ("ab", True),
        ("a" * 63, True),
        ("a" * 64, False),
        ("a", False),
        ("", False),
        ("2rec", False),
        ("a.b", False),
        ("a/b", False),
        ("课堂", False),
        ("s3", False),
        ("S3", False),
        ("https", False),
        ("file", False),
    ],
)
def test_a_store_is_called_by_a_word(name: str, is_one: bool) -> None:  # noqa: FBT001 - a column of the table
    assert is_store_name(name) is is_one


@pytest.mark.parametrize(
    ("store", "bucket", "prefix", "sentence"),
    [
        ("", "", "", "expected the name of a store or a bucket"),
        ("rec", "b1", "", "expected the name of a store or a bucket"),
        ("rec", "", "a", "expected a prefix that ends with '/': 'a'"),
        ("rec", "", "//a/", "expected a prefix that makes no URL of the name: '//a/'"),
    ],
)
def test_a_value_that_is_no_address_cannot_be_made(
    store: str, bucket: str, prefix: str, sentence: str
) -> None:
    with pytest.raises(ValueError, match="expected") as caught:
        StoreAddress(store, bucket, prefix)
    assert str(caught.value) == sentence
