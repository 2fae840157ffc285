-- One key for an address, by a rule of its own: the locale of the database, the collation of a
-- column, the settings of a session and the release of PostgreSQL change nothing.
-- 1. What is not seen goes off both ends: white space, controls, format characters and what else
--    Unicode lets a program leave out. Within an address it stays: addresses that differ there are
--    two, and to make them one would be a guess.
-- 2. Unicode's composed form (NFC), and case mapped one character to one: ß stays ß, ı stays ı,
--    İ is i as I is. Full-width letters stay wide.
-- 3. A domain that is not ASCII is its punycode; where it cannot be, the text of step 2 is the key.
-- The key is what Constant Contact is told, too.

-- The key as it was: addresses that were erased before are known by its digest.
CREATE FUNCTION ctct_email_key_1(address text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN nullif(lower(btrim(address, E' \t\r\n\u00a0\u200b')), '');

-- Made from data: Unicode 16.0.
DO $do$
DECLARE
    -- White_Space, Default_Ignorable_Code_Point, general categories Cc and Cf.
    unseen text := '[' || E'\\u0001-\\u0020\\u007F-\\u00A0\\u00AD\\u034F\\u0600-\\u0605\\u061C\\u06DD'
        || E'\\u070F\\u0890-\\u0891\\u08E2\\u115F-\\u1160\\u1680\\u17B4-\\u17B5\\u180B-\\u180F'
        || E'\\u2000-\\u200F\\u2028-\\u202F\\u205F-\\u206F\\u3000\\u3164\\uFE00-\\uFE0F\\uFEFF'
        || E'\\uFFA0\\uFFF0-\\uFFFB\\U000110BD\\U000110CD\\U00013430-\\U0001343F'
        || E'\\U0001BCA0-\\U0001BCA3\\U0001D173-\\U0001D17A\\U000E0000-\\U000E0FFF' || ']';
    -- Simple_Lowercase_Mapping beyond ASCII: first, last, step, distance.
    simple_lowercase text := '
        192 214 1 32, 216 222 1 32, 256 302 2 1, 304 304 1 -199, 306 310 2 1, 313 327 2 1,
        330 374 2 1, 376 376 1 -121, 377 381 2 1, 385 385 1 210, 386 388 2 1, 390 390 1 206,
        391 391 1 1, 393 394 1 205, 395 395 1 1, 398 398 1 79, 399 399 1 202, 400 400 1 203,
        401 401 1 1, 403 403 1 205, 404 404 1 207, 406 406 1 211, 407 407 1 209, 408 408 1 1,
        412 412 1 211, 413 413 1 213, 415 415 1 214, 416 420 2 1, 422 422 1 218, 423 423 1 1,
        425 425 1 218, 428 428 1 1, 430 430 1 218, 431 431 1 1, 433 434 1 217, 435 437 2 1,
        439 439 1 219, 440 440 1 1, 444 444 1 1, 452 452 1 2, 453 453 1 1, 455 455 1 2,
        456 456 1 1, 458 458 1 2, 459 475 2 1, 478 494 2 1, 497 497 1 2, 498 500 2 1,
        502 502 1 -97, 503 503 1 -56, 504 542 2 1, 544 544 1 -130, 546 562 2 1, 570 570 1 10795,
        571 571 1 1, 573 573 1 -163, 574 574 1 10792, 577 577 1 1, 579 579 1 -195, 580 580 1 69,
        581 581 1 71, 582 590 2 1, 880 882 2 1, 886 886 1 1, 895 895 1 116, 902 902 1 38,
        904 906 1 37, 908 908 1 64, 910 911 1 63, 913 929 1 32, 931 939 1 32, 975 975 1 8,
        984 1006 2 1, 1012 1012 1 -60, 1015 1015 1 1, 1017 1017 1 -7, 1018 1018 1 1,
        1021 1023 1 -130, 1024 1039 1 80, 1040 1071 1 32, 1120 1152 2 1, 1162 1214 2 1,
        1216 1216 1 15, 1217 1229 2 1, 1232 1326 2 1, 1329 1366 1 48, 4256 4293 1 7264,
        4295 4295 1 7264, 4301 4301 1 7264, 5024 5103 1 38864, 5104 5109 1 8, 7305 7305 1 1,
        7312 7354 1 -3008, 7357 7359 1 -3008, 7680 7828 2 1, 7838 7838 1 -7615, 7840 7934 2 1,
        7944 7951 1 -8, 7960 7965 1 -8, 7976 7983 1 -8, 7992 7999 1 -8, 8008 8013 1 -8,
        8025 8031 2 -8, 8040 8047 1 -8, 8072 8079 1 -8, 8088 8095 1 -8, 8104 8111 1 -8,
        8120 8121 1 -8, 8122 8123 1 -74, 8124 8124 1 -9, 8136 8139 1 -86, 8140 8140 1 -9,
        8152 8153 1 -8, 8154 8155 1 -100, 8168 8169 1 -8, 8170 8171 1 -112, 8172 8172 1 -7,
        8184 8185 1 -128, 8186 8187 1 -126, 8188 8188 1 -9, 8486 8486 1 -7517, 8490 8490 1 -8383,
        8491 8491 1 -8262, 8498 8498 1 28, 8544 8559 1 16, 8579 8579 1 1, 9398 9423 1 26,
        11264 11311 1 48, 11360 11360 1 1, 11362 11362 1 -10743, 11363 11363 1 -3814,
        11364 11364 1 -10727, 11367 11371 2 1, 11373 11373 1 -10780, 11374 11374 1 -10749,
        11375 11375 1 -10783, 11376 11376 1 -10782, 11378 11378 1 1, 11381 11381 1 1,
        11390 11391 1 -10815, 11392 11490 2 1, 11499 11501 2 1, 11506 11506 1 1, 42560 42604 2 1,
        42624 42650 2 1, 42786 42798 2 1, 42802 42862 2 1, 42873 42875 2 1, 42877 42877 1 -35332,
        42878 42886 2 1, 42891 42891 1 1, 42893 42893 1 -42280, 42896 42898 2 1, 42902 42920 2 1,
        42922 42922 1 -42308, 42923 42923 1 -42319, 42924 42924 1 -42315, 42925 42925 1 -42305,
        42926 42926 1 -42308, 42928 42928 1 -42258, 42929 42929 1 -42282, 42930 42930 1 -42261,
        42931 42931 1 928, 42932 42946 2 1, 42948 42948 1 -48, 42949 42949 1 -42307,
        42950 42950 1 -35384, 42951 42953 2 1, 42955 42955 1 -42343, 42956 42956 1 1,
        42960 42960 1 1, 42966 42970 2 1, 42972 42972 1 -42561, 42997 42997 1 1, 65313 65338 1 32,
        66560 66599 1 40, 66736 66771 1 40, 66928 66938 1 39, 66940 66954 1 39, 66956 66962 1 39,
        66964 66965 1 39, 68736 68786 1 64, 68944 68965 1 32, 71840 71871 1 32, 93760 93791 1 32,
        125184 125217 1 34
    ';
    upper_letters text;
    lower_letters text;
BEGIN
    EXECUTE format(
        'CREATE FUNCTION ctct_trim_unseen(address text) RETURNS text '
        'LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE '
        'RETURN regexp_replace(address COLLATE "C", %L, '''', ''g'')',
        '^' || unseen || '+|' || unseen || '+$'
    );
    EXECUTE format(
        'CREATE FUNCTION ctct_has_unseen(address text) RETURNS boolean '
        'LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE '
        'RETURN address COLLATE "C" ~ %L',
        unseen
    );
    SELECT
        string_agg(chr(code), '' ORDER BY code),
        string_agg(chr(code + run[4]), '' ORDER BY code)
    INTO upper_letters, lower_letters
    FROM
        (
            SELECT string_to_array(btrim(written, E' \n'), ' ')::integer[] AS run
            FROM string_to_table(simple_lowercase, ',') AS written
        ) AS runs,
        generate_series(run[1], run[2], run[3]) AS code;
    -- Composed again: some small letters have a composed form where the capital has none. Without a
    -- look first, every letter would be sought among all capitals.
    EXECUTE format(
        'CREATE FUNCTION ctct_fold_case(address text) RETURNS text '
        'LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE '
        'RETURN ( '
        'SELECT CASE '
        'WHEN composed.text COLLATE "C" ~ %1$L THEN normalize(translate(composed.text, %2$L, %3$L)) '
        'ELSE normalize(composed.text) END '
        'FROM (SELECT lower(normalize(address) COLLATE "C") AS text) AS composed)',
        '[' || upper_letters || ']',
        upper_letters,
        lower_letters
    );
END
$do$;

-- RFC 3492. Null where no host can have such a name: an empty label, or one of more than 63 bytes.
CREATE FUNCTION ctct_punycode(domain text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    digits CONSTANT text := 'abcdefghijklmnopqrstuvwxyz0123456789';
    labels text[] := '{}';
    label text;
    encoded text;
    codes integer[];
    code integer;
    basic integer;
    handled integer;
    largest integer;
    next_code integer;
    bias integer;
    threshold integer;
    place integer;
    delta bigint;
    rest bigint;
BEGIN
    -- The full stops that a keyboard for Chinese or Japanese writes.
    FOREACH label IN ARRAY
        string_to_array(translate(domain, E'\u3002\uFF0E\uFF61', '...'), '.')
    LOOP
        IF char_length(label) NOT BETWEEN 1 AND 63 THEN
            RETURN NULL;
        END IF;
        IF octet_length(label) = char_length(label) THEN
            labels := labels || label;
            CONTINUE;
        END IF;
        codes := ARRAY(
            SELECT ascii(substr(label, nth, 1)) FROM generate_series(1, char_length(label)) AS nth
            ORDER BY nth
        );
        SELECT coalesce(string_agg(chr(each), '' ORDER BY nth), '') INTO encoded
        FROM unnest(codes) WITH ORDINALITY AS letter (each, nth)
        WHERE each < 128;
        basic := char_length(encoded);
        IF basic > 0 THEN
            encoded := encoded || '-';
        END IF;
        handled := basic;
        largest := 128;
        delta := 0;
        bias := 72;
        WHILE handled < cardinality(codes) LOOP
            SELECT min(each) INTO next_code FROM unnest(codes) AS each WHERE each >= largest;
            delta := delta + (next_code - largest)::bigint * (handled + 1);
            largest := next_code;
            FOREACH code IN ARRAY codes LOOP
                IF code < largest THEN
                    delta := delta + 1;
                ELSIF code = largest THEN
                    rest := delta;
                    place := 36;
                    LOOP
                        threshold := greatest(1, least(26, place - bias));
                        EXIT WHEN rest < threshold;
                        encoded := encoded || substr(
                            digits,
                            (threshold + (rest - threshold) % (36 - threshold))::integer + 1,
                            1
                        );
                        rest := (rest - threshold) / (36 - threshold);
                        place := place + 36;
                    END LOOP;
                    encoded := encoded || substr(digits, rest::integer + 1, 1);
                    delta := CASE WHEN handled = basic THEN delta / 700 ELSE delta / 2 END;
                    handled := handled + 1;
                    delta := delta + delta / handled;
                    bias := 0;
                    WHILE delta > 455 LOOP
                        delta := delta / 35;
                        bias := bias + 36;
                    END LOOP;
                    bias := bias + (36 * delta / (delta + 38))::integer;
                    delta := 0;
                END IF;
            END LOOP;
            delta := delta + 1;
            largest := largest + 1;
        END LOOP;
        IF char_length(encoded) > 59 THEN
            RETURN NULL;
        END IF;
        labels := labels || ('xn--' || encoded);
    END LOOP;
    RETURN array_to_string(labels, '.');
END
$$;

-- Of a folded address. A joiner may belong to a name; else what is not seen belongs to none.
CREATE FUNCTION ctct_ascii_domain(address text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (
    SELECT
        CASE
            WHEN octet_length(written.domain) = char_length(written.domain) THEN written.address
            WHEN written.domain = written.address THEN written.address
            WHEN ctct_has_unseen(translate(written.domain, E'\u200C\u200D', ''))
                THEN written.address
            ELSE
                coalesce(
                    left(written.address, -char_length(written.domain))
                    || ctct_punycode(written.domain),
                    written.address
                )
        END
    FROM (
        SELECT
            address,
            split_part(address, '@', -1) AS domain
    ) AS written
);

-- Not STRICT, as the key itself: STRICT keeps both from being inlined, and before PostgreSQL 18 a
-- function within one that is not inlined is planned at each call.
CREATE FUNCTION ctct_email_key_unseen(address text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN nullif(ctct_ascii_domain(ctct_fold_case(ctct_trim_unseen(address))), '');

-- Most addresses that are not plain have ordinary white space at an end only: without that they are
-- plain. The key of every address stays what it was.
CREATE FUNCTION ctct_email_key(address text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN btrim(address, E' \t\r\n') COLLATE "C" ~ '^[!-~]+$'
        THEN lower(btrim(address, E' \t\r\n') COLLATE "C")
    ELSE ctct_email_key_unseen(address)
END;

-- How an address is known again without being kept. Who has the address can make it too: it is
-- a person's data still, kept for the one purpose of never writing to that person again.
CREATE FUNCTION ctct_email_digest(email_key text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN encode(sha256(convert_to(email_key, 'UTF8')), 'hex');

-- Under every key that there ever was, the newest first.
CREATE FUNCTION ctct_email_digests(address text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN array_remove(
    ARRAY[
        ctct_email_digest(ctct_email_key(address)),
        ctct_email_digest(ctct_email_key_1(address))
    ],
    NULL
);
